// Entry of the page of borders: the map to pick two neighbours on, and what lies astride their border.

import { card, colour, element, lengthText, outlines, page, readBlock, t, unpacked, keep } from "./page.js";
import { addMap, maps, ringsOf, wireMaps } from "./maps.js";
import { wireForm, wirePresets, wirePrint } from "./panel.js";
import { wireRun } from "./runs.js";
import { askWhenOpened, wireBorderForm } from "./borders_form.js";
import { wireLinks } from "./borders_links.js";
import { wirePicker } from "./borders_pick.js";
import { tellComparing, tellStale } from "./borders_stale.js";

const data = readBlock("border-data");
const FINDINGS = {
  proven: { colour: "proven", weight: 3.6 },
  passed: { colour: "ink", weight: 1.8, dashArray: "7 5" },
  candidate: { colour: "candidate", weight: 1.2, dashArray: "1.5 4" },
};
const NAME_ZOOM = 9;
const shapes = new Map();
let inside = null;

function drawNames(map) {
  for (const [, area] of outlines) {
    if (!area.label || !["city", "county"].includes(area.level)) continue;
    const icon = L.divIcon({ className: `name name-${area.level}`, html: element("span", {}, area.name), iconSize: [0, 0] });
    L.marker(area.label, { icon, pane: "names", interactive: false, keyboard: false }).addTo(map);
  }
  const fit = () => map.getContainer().classList.toggle("shows-counties", map.getZoom() >= NAME_ZOOM);
  map.on("zoomend", fit);
  fit();
}

// Sides of a belt: darker where more was counted for its length, hatched where nothing was reported.
function drawBelts(map) {
  for (const border of data.borders) {
    border.belts.forEach((outline, side) => {
      if (!outline) return;
      const isSilent = border.silent[side];
      L.polygon(ringsOf(outline), {
        renderer: map.renderers.density,
        color: colour("city-edge"),
        weight: data.selected ? 1 : 0,
        dashArray: "2 3",
        fillColor: isSilent ? "url(#hatch)" : border.fills[side] || colour("area"),
        fillOpacity: isSilent ? 1 : 0.85,
        interactive: false,
        className: isSilent ? "belt is-silent" : "belt",
      }).addTo(map);
      const at = border.labels[side];
      if (!at) return;
      const told = isSilent ? t("{area}：该侧无数据", { area: border.names[side] }) : t("{area}一侧{count}起", { area: border.names[side], count: border.counts[side] });
      const icon = L.divIcon({ className: "name name-city belt-name", html: element("span", {}, told), iconSize: [0, 0] });
      L.marker(at, { icon, pane: "names", interactive: false, keyboard: false }).addTo(map);
    });
  }
}

function drawZones(map, choose) {
  for (const zone of data.zones) {
    const rings = ringsOf(zone.outline);
    const { colour: name, ...line } = FINDINGS[zone.state];
    const renderer = map.renderers.findings;
    if (zone.state === "proven") L.polygon(rings, { renderer, color: colour("paper"), weight: 7.5, opacity: 0.95, fill: false, interactive: false }).addTo(map);
    const shape = L.polygon(rings, { renderer, color: colour(name), fillOpacity: 0, className: `finding finding-${zone.state}`, ...line }).addTo(map);
    const kind = zone.state === "proven" ? "rank" : `rank rank-${zone.state}`;
    const icon = L.divIcon({ className: kind, html: element("span", {}, String(zone.number)), iconSize: [24, 24] });
    const title = t("{number} {place}", { number: zone.number, place: zone.place });
    const label = L.marker(zone.label, { icon, title, alt: title, zIndexOffset: zone.state === "proven" ? 2000 : 1000 }).addTo(map);
    for (const each of [shape, label]) {
      each.bindTooltip(() => element("span", {}, title), { sticky: each === shape });
      each.on("click keypress", ({ type, originalEvent }) => {
        if (type === "keypress" && originalEvent?.key !== "Enter") return;
        choose(zone);
      });
    }
    shapes.set(zone.id, shape);
  }
}

function incidentOf(map, [at, radius, side, number, when, place, precision], zone) {
  const ink = colour("incident");
  const dot = L.circleMarker(at, {
    renderer: map.renderers.hotspots,
    radius: 4.5,
    color: side === "a" ? "#fff" : ink,
    weight: side === "a" ? 1.2 : 2,
    fillColor: side === "a" ? ink : "#fff",
    fillOpacity: 1,
    className: `border-incident is-${side}`,
  });
  dot.bindPopup(() =>
    card(
      t("案件{number}", { number }),
      [
        [t("时间"), when],
        [t("地点"), place],
        [t("计入"), zone.sides[side]],
      ],
      [precision, radius > 0 && t("真实位置在约{radius}内", { radius: lengthText(radius) })],
    ),
  );
  const ring = L.circle(at, { renderer: map.renderers.radii, radius, color: ink, weight: 0.8, opacity: 0.45, fill: false, interactive: false });
  return radius > 0 ? [ring, dot] : [dot];
}

function sectionOf(map, { name, count, lines }) {
  const paths = lines.map(unpacked);
  const casing = L.polyline(paths, { renderer: map.renderers.lines, color: "#fff", weight: 7, opacity: 0.9, interactive: false });
  const line = L.polyline(paths, { renderer: map.renderers.lines, color: colour("line-telecom"), weight: 4, className: "border-section" });
  line.bindTooltip(() => element("span", {}, name, element("br"), t("{count}起在这一段", { count })), { sticky: true });
  return [casing, line];
}

function stationOf([at, name, state]) {
  const icon = L.divIcon({ className: "station", html: triangle(), iconSize: [16, 16] });
  return L.marker(at, { icon, title: `${name} · ${state}`, keyboard: false }).bindTooltip(() => element("span", {}, `${name} · ${state}`));
}

function triangle() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M8 2 15 14H1z");
  svg.append(path);
  return svg;
}

/** Show what lies inside the zone that is told in full. */
function drawInside(map, id) {
  inside?.remove();
  const zone = data.zones.find((each) => each.id === id);
  if (!zone || !data.incidents[id]) return;
  inside = L.layerGroup([
    ...data.sections[id].flatMap((section) => sectionOf(map, section)),
    ...data.incidents[id].flatMap((row) => incidentOf(map, row, zone)),
    ...data.stations[id].map(stationOf),
  ]).addTo(map);
}

function wireZones(map) {
  const articles = [...document.querySelectorAll("[data-zone]")];
  const show = (id, { moves }) => {
    for (const article of articles) article.hidden = article.dataset.zone !== id;
    for (const row of document.querySelectorAll("[data-zone-row]")) row.toggleAttribute("aria-current", row.dataset.zoneRow === id);
    keep("zone", id);
    if (map) drawInside(map, id);
    if (!moves) return;
    const article = articles.find((each) => each.dataset.zone === id);
    article?.focus({ preventScroll: true });
    article?.scrollIntoView({ block: "nearest" });
    const shape = shapes.get(id);
    if (map && shape) map.fitBounds(shape.getBounds(), { padding: [60, 60], maxZoom: 12, animate: false });
  };
  for (const link of document.querySelectorAll("[data-zone-link]")) {
    if (!articles.length) break;
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      show(link.dataset.zoneLink, { moves: true });
    });
  }
  const chosen = articles.find((article) => !article.hidden);
  if (map && chosen) drawInside(map, chosen.dataset.zone);
  return (zone) => {
    if (articles.length) show(zone.id, { moves: false });
    else location.assign(zone.href);
  };
}

// The other language keeps everything else.
function keepLanguageLink() {
  const link = document.querySelector("[data-other-language]");
  link?.addEventListener("click", () => {
    const target = new URL(link.href);
    for (const [name, value] of new URLSearchParams(location.search)) if (name !== "lang") target.searchParams.set(name, value);
    link.href = target.href;
  });
}

const map = addMap("border-map");
wireForm();
const form = wireBorderForm(data);
tellStale();
tellComparing();
if (map) {
  map.createPane("picks").style.zIndex = 330;
  map.renderers.picks = L.svg({ pane: "picks", padding: 0.4 });
  drawNames(map);
  drawBelts(map);
  wirePicker(map, data, form);
}
const choose = wireZones(map);
if (map) drawZones(map, choose);
wireMaps();
wirePresets();
wirePrint();
wireRun();
wireLinks(map, data.links);
keepLanguageLink();
askWhenOpened();
document.body.dataset.ready = String(Math.round(performance.now()));
export { maps, page };

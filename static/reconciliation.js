// The small map of records without a partner, drawn no more precisely than they are known.

import { card, colour, element, lengthText, outlines, readBlock, t, unpacked, page } from "./page.js";

const { addresses, totals } = readBlock("reconciliation-data");
const SIDES = {
  tickets: { name: t("没有案件的工单"), kind: t("工单"), mark: "mark-ticket", size: 10, depth: 1000, stroke: "line-telecom" },
  incidents: { name: t("没有工单的案件"), kind: t("案件"), mark: "mark-incident", size: 11, depth: 0, stroke: "incident" },
};
const COARSE = ["county", "city"];
const status = document.querySelector("[data-map-status]");

// The other language keeps the filter.
const other = document.querySelector("[data-other-language]");
if (other) {
  const target = new URL(other.href);
  for (const [name, value] of new URLSearchParams(location.search)) if (name !== "lang") target.searchParams.set(name, value);
  other.href = target.href;
}

const form = document.querySelector("form.filters");
form?.addEventListener("submit", (event) => {
  const { start, end } = form.elements;
  const isHalf = Boolean(start.value) !== Boolean(end.value);
  form.querySelector(".form-error").hidden = !isHalf;
  if (isHalf) {
    event.preventDefault();
    (start.value ? end : start).focus();
    return;
  }
  // What is empty stays out of the address.
  for (const field of form.elements) field.disabled = field.name !== "" && !field.value;
});

function makeMap() {
  const container = document.getElementById("unmatched-map");
  if (!window.L) {
    container.classList.add("is-broken");
    container.textContent = t("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页");
    return null;
  }
  const map = L.map(container, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 18 });
  L.control.zoom({ zoomInTitle: t("放大"), zoomOutTitle: t("缩小") }).addTo(map);
  map.on("popupopen", ({ popup }) => {
    popup.getElement().querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", t("关闭"));
  });
  return map;
}

function drawGround(map) {
  const edges = { province: [1.6, "city-edge"], city: [1.1, "city-edge"], county: [0.6, "area-edge"] };
  const drawn = L.featureGroup();
  for (const area of outlines.values()) {
    if (!area.outline || !Object.hasOwn(edges, area.level)) continue;
    const [weight, name] = edges[area.level];
    const rings = area.outline.map((part) => (Array.isArray(part[0]) ? part.map(unpacked) : unpacked(part)));
    const fill = area.level === "county" ? { fill: false } : { fillColor: colour("area"), fillOpacity: 1 };
    drawn.addLayer(L.polygon(rings, { color: colour(name), weight, interactive: false, ...fill }));
  }
  return drawn.addTo(map);
}

function popupOf(properties, side) {
  const day = (text) => text.slice(0, 16).replace("T", " ");
  return card(`${side.kind} ${properties.number}`, [
    [t("时间"), `${day(properties.occurred_from)} – ${day(properties.occurred_until)}`],
    [t("地点"), properties.place_text],
    [t("区域"), properties.area_name],
  ], [
    t("位置：{precision}，真实位置在约{radius}内", { precision: properties.precision_word, radius: lengthText(properties.radius_m) }),
    properties.reason_text,
  ]);
}

function drawRecord(map, feature, side) {
  const [longitude, latitude] = feature.geometry.coordinates;
  const at = [latitude, longitude];
  const { properties } = feature;
  const isCoarse = COARSE.includes(properties.place_precision);
  const circle = L.circle(at, {
    radius: properties.radius_m,
    color: colour(side.stroke),
    weight: 0.8,
    opacity: 0.55,
    dashArray: isCoarse ? "4 4" : null,
    fill: false,
    interactive: false,
  });
  const title = `${side.name} ${properties.number}`;
  const icon = L.divIcon({ className: `${side.mark}${isCoarse ? " mark-coarse" : ""}`, iconSize: [side.size, side.size] });
  // Leaflet gives a divIcon its place by transform; the diamond's own turn goes on an inner element.
  icon.createIcon = () => {
    const outer = element("div", { class: "leaflet-marker-icon" });
    const inner = element("div", { class: icon.options.className });
    Object.assign(inner.style, { width: `${side.size}px`, height: `${side.size}px` });
    Object.assign(outer.style, { marginLeft: `${-side.size / 2}px`, marginTop: `${-side.size / 2}px` });
    outer.append(inner);
    return outer;
  };
  // Hundreds of stops for the tab key would bar the way to the lists, which hold the same records.
  const marker = L.marker(at, { icon, title, keyboard: false, zIndexOffset: side.depth }).bindPopup(() => popupOf(properties, side));
  return L.featureGroup([circle, marker]).addTo(map);
}

async function fetchSide(name) {
  const response = await fetch(addresses[name], { headers: { accept: "application/geo+json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).features;
}

async function show() {
  const map = makeMap();
  if (!map) return;
  const ground = drawGround(map);
  const bounds = ground.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { animate: false });
  else map.setView([34, 113.5], 6);
  status.textContent = t("正在取没有配上的记录…");
  let drawn = 0;
  let unplaced = 0;
  const found = L.featureGroup();
  try {
    for (const [name, side] of Object.entries(SIDES)) {
      for (const feature of await fetchSide(name)) {
        if (!feature.geometry) unplaced += 1;
        else {
          found.addLayer(drawRecord(map, feature, side));
          drawn += 1;
        }
      }
    }
  } catch {
    status.textContent = t("没有配上的记录没有取到，请稍后再试");
    return;
  }
  if (!bounds.isValid() && drawn) map.fitBounds(found.getBounds(), { animate: false, maxZoom: 12 });
  const said = [t("图上画出{drawn}条，共{total}条没有配上", { drawn, total: totals.tickets + totals.incidents })];
  if (unplaced) said.push(t("{count}条没有点位，只在表中", { count: unplaced }));
  status.textContent = said.join(page.locale === "zh" ? "；" : "; ");
  document.body.dataset.ready = "";
}

show();

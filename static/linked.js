// The map of linked incidents: a line for every pair, a circle for what is not known of a place.

import { colour, element, outlines, readBlock, t, unpacked } from "./page.js";
import { fitToPaper, wirePaper } from "./paper.js";

const features = readBlock("linked-features");

function makeMap(container) {
  if (!window.L) {
    container.classList.add("is-broken");
    container.textContent = t("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页");
    return null;
  }
  const map = L.map(container, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 17 });
  L.control.zoom({ zoomInTitle: t("放大"), zoomOutTitle: t("缩小") }).addTo(map);
  return map;
}

function drawGround(map) {
  const edges = { city: [1.6, "city-edge"], county: [0.6, "area-edge"] };
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

function drawNames(map) {
  map.createPane("names").style.zIndex = 580;
  for (const { label, level, name } of outlines.values()) {
    if (!label || level !== "city") continue;
    const icon = L.divIcon({ className: "name name-city", html: element("span", {}, name), iconSize: [0, 0] });
    L.marker(label, { icon, pane: "names", interactive: false, keyboard: false }).addTo(map);
  }
}

/** A button that leads back to all that is drawn. */
function addHome(map, goHome) {
  const control = L.control({ position: "topleft" });
  control.onAdd = () => {
    const button = element("button", { type: "button", class: "home", title: t("回到全图"), "aria-label": t("回到全图") }, "⌂");
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", goHome);
    return element("div", { class: "leaflet-bar" }, button);
  };
  control.addTo(map);
}

function turned([longitude, latitude]) {
  return [latitude, longitude];
}

function drawLine({ geometry, properties }) {
  const isLink = properties.kind === "link";
  const style = properties.is_across
    ? { color: colour("border-pair"), weight: isLink ? 4 : 2 }
    : { color: colour("ink"), weight: isLink ? 2.5 : 1.4 };
  const line = L.polyline(geometry.coordinates.map(turned), { ...style, dashArray: isLink ? null : "3 6" });
  const told = element("div", {}, element("strong", {}, properties.pair), element("p", {}, properties.reasons));
  return line.bindTooltip(told, { sticky: true });
}

function drawPlace({ geometry, properties }) {
  const at = turned(geometry.coordinates);
  const ring = { radius: properties.radius_m ?? 0, color: colour("candidate"), weight: 1, dashArray: "4 4", fill: false, interactive: false };
  const dot = L.circleMarker(at, { radius: properties.chain ? 6 : 4, color: colour("ink"), weight: 1.6, fillColor: properties.chain ? colour("ink") : colour("paper"), fillOpacity: 1 });
  const told = element("div", {}, element("strong", {}, `${properties.side} ${properties.place}`), element("p", {}, properties.when));
  return L.featureGroup([L.circle(at, ring), dot.bindTooltip(told)]);
}

function show() {
  const container = document.getElementById("linked-map");
  const map = container && makeMap(container);
  if (!map) return;
  const ground = drawGround(map);
  map.setView([34, 113.5], 7, { animate: false });
  const drawn = L.featureGroup().addTo(map);
  for (const feature of features) {
    if (feature.geometry) drawn.addLayer(feature.geometry.type === "Point" ? drawPlace(feature) : drawLine(feature));
  }
  drawNames(map);
  const bounds = drawn.getLayers().length ? drawn.getBounds() : ground.getBounds();
  if (!bounds.isValid()) return;
  const goHome = () => map.fitBounds(bounds, { padding: [20, 20], animate: false, maxZoom: 12 });
  addHome(map, goHome);
  goHome();
  fitToPaper(map, () => bounds);
}

const form = document.querySelector(".linked-form");
const { first, second } = form.elements;
const differ = () => second.setCustomValidity(first.value && first.value === second.value ? t("两侧要选不同的市") : "");
form.addEventListener("change", differ);
form.addEventListener("submit", () => {
  // What is empty stays out of the address.
  for (const field of form.elements) field.disabled = field.name !== "" && !field.value;
});
window.addEventListener("pageshow", () => {
  // Who comes back finds every field again.
  for (const field of form.elements) field.disabled = false;
  differ();
});
const other = document.querySelector("[data-other-language]");
if (other) {
  const target = new URL(other.href);
  for (const [name, value] of new URLSearchParams(location.search)) if (name !== "lang") target.searchParams.set(name, value);
  other.href = target.href;
}
show();
wirePaper();
document.body.dataset.ready = "";

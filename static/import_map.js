// A small map of what the file places: points with the circles that hold the true place, lines, areas.

import { colour, element, lengthText, outlines, t, unpacked } from "./page.js";
import { count, part } from "./import_words.js";

const EDGES = { province: [1.6, "city-edge"], city: [1.1, "city-edge"], county: [0.6, "area-edge"] };
const CLOSE = 13;
let map = null;
let shapes = null;
let byRow = new Map();

/** Draw a preview's shapes and show them all. */
export function drawShapes(preview) {
  const collection = preview.shapes ?? { features: [] };
  const box = document.getElementById("import-map");
  const hasShapes = collection.features.length > 0;
  box.parentElement.hidden = !hasShapes && !preview.bounds;
  if (box.parentElement.hidden) return;
  if (!window.L) {
    box.textContent = t("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页");
    return;
  }
  map ??= make(box);
  map.invalidateSize({ animate: false });
  shapes?.remove();
  byRow = new Map();
  shapes = L.layerGroup(collection.features.map(shapeOf).filter(Boolean)).addTo(map);
  home();
  part("map-note").textContent = noteOf(preview, collection.features.length);

  // The circles that hold the true places belong into the picture as well.
  function home() {
    const whole = L.latLngBounds([]);
    shapes.eachLayer((layer) => whole.extend(layer.getBounds ? layer.getBounds() : layer.getLatLng()));
    if (preview.bounds) {
      const [west, south, east, north] = preview.bounds;
      whole.extend([[south, west], [north, east]]);
    }
    map.fitBounds(whole, { padding: [24, 24], maxZoom: CLOSE, animate: false });
  }
  map.goHome = home;
}

function noteOf(preview, drawn) {
  const rows = preview.good_count ?? 0;
  return drawn < rows ? t("画出{drawn}处；有的行没有位置，或者太多没有全画。", { drawn: count(drawn) }) : t("画出{drawn}处", { drawn: count(drawn) });
}

/** Show one place, for instance a gap. */
export function showPlace(longitude, latitude, text) {
  if (!map) return;
  map.setView([latitude, longitude], CLOSE, { animate: false });
  map.openPopup(element("span", {}, text), [latitude, longitude]);
  map.getContainer().scrollIntoView({ block: "nearest" });
}

/** Show a row's shape; false when it has none. */
export function showRow(row) {
  const layer = byRow.get(row);
  if (!layer) return false;
  map.fitBounds(layer.getBounds ? layer.getBounds() : layer.getLatLng().toBounds(2000), { maxZoom: CLOSE, animate: false });
  layer.openPopup();
  map.getContainer().scrollIntoView({ block: "nearest" });
  return true;
}

function make(box) {
  const made = L.map(box, { attributionControl: false, zoomControl: false, preferCanvas: true, zoomSnap: 0.25, minZoom: 4, maxZoom: 19 });
  made.setView([34, 113.5], 6);
  L.control.zoom({ zoomInTitle: t("放大"), zoomOutTitle: t("缩小") }).addTo(made);
  const control = L.control({ position: "topleft" });
  control.onAdd = () => {
    const button = element("button", { type: "button", class: "home", title: t("回到全图"), "aria-label": t("回到全图") });
    button.append("⌂");
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", () => made.goHome());
    return element("div", { class: "leaflet-bar" }, button);
  };
  control.addTo(made);
  drawGround(made);
  made.on("popupopen", ({ popup }) => popup.getElement().querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", t("关闭")));
  new ResizeObserver(() => made.invalidateSize({ animate: false })).observe(box);
  return made;
}

function drawGround(made) {
  for (const [name, depth] of [["ground", 240], ["edges", 260]]) made.createPane(name).style.zIndex = depth;
  const renderers = { ground: L.svg({ pane: "ground", padding: 0.4 }), edges: L.svg({ pane: "edges", padding: 0.4 }) };
  for (const area of outlines.values()) {
    if (!area.outline || !Object.hasOwn(EDGES, area.level)) continue;
    const rings = area.outline.map((rings) => rings.map(unpacked));
    const [weight, name] = EDGES[area.level];
    L.polygon(rings, { stroke: false, fillColor: colour("area"), fillOpacity: 1, interactive: false, renderer: renderers.ground }).addTo(made);
    L.polygon(rings, { color: colour(name), weight, fill: false, interactive: false, renderer: renderers.edges }).addTo(made);
  }
}

function shapeOf(feature) {
  if (!feature.geometry) return null;
  const { row, radius_m: radius } = feature.properties ?? {};
  const title = row === undefined || row === null ? "" : t("第{row}行", { row });
  const told = radius ? t("{row}，真实位置在约{radius}内", { row: title, radius: lengthText(radius) }) : title;
  const layer = feature.geometry.type === "Point" ? pointOf(feature.geometry.coordinates, radius) : outlineOf(feature.geometry);
  layer.bindPopup(() => element("span", {}, told));
  byRow.set(row, layer);
  return layer;
}

function pointOf([longitude, latitude], radius) {
  const dot = L.circleMarker([latitude, longitude], { radius: 5, color: "#fff", weight: 1.4, fillColor: colour("incident"), fillOpacity: 1 });
  if (!(radius > 0)) return dot;
  const ring = L.circle([latitude, longitude], { radius, color: colour("incident"), weight: 0.8, opacity: 0.6, dashArray: "4 3", fill: false, interactive: false });
  return L.featureGroup([ring, dot]);
}

function outlineOf(geometry) {
  const isArea = geometry.type.endsWith("Polygon");
  const style = isArea
    ? { color: colour("supervised"), weight: 1.4, fillColor: colour("supervised"), fillOpacity: 0.08 }
    : { color: colour("line-telecom"), weight: 2.4 };
  return L.geoJSON(geometry, { style });
}

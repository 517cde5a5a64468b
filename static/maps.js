// The maps of the page: panes, scale, keys, the quiet base, and which layers are shown.

import { colour, element, keep, lengthText, outlines, page, readBlock, t, unpacked } from "./page.js";

// From below to above. Leaflet's own panes: markers 600, tooltips 650, popups 700.
const PANES = {
  base: 240,
  shade: 300,
  density: 320,
  edges: 340,
  lines: 360,
  campaign: 380,
  radii: 400,
  candidates: 440,
  findings: 450,
  hotspots: 460,
  names: 580,
};
const SHADINGS = ["cities", "counties"];
const MAKERS = new Map();

export const maps = [];
const drawn = new Map();
let isQuiet = true;

/** Say how a kind of layer is drawn: (map, data, key) => Leaflet layer. */
export function drawsLayer(key, make) {
  MAKERS.set(key, make);
}

/** Do something to the maps that is not the user's wish, and so not kept in the address. */
export function quietly(action) {
  const was = isQuiet;
  isQuiet = true;
  action();
  isQuiet = was;
}

// Leaflet's own scale speaks only of m and km.
function scaleControl() {
  const Scale = L.Control.Scale.extend({
    _updateMetric(most) {
      const metres = this._getRoundNum(most);
      this._updateScale(this._mScale, lengthText(metres), metres / most);
    },
  });
  return new Scale({ imperial: false, maxWidth: 140 });
}

/** Make a map; null when the set-up was not completed, so that the rest of the page still works. */
export function addMap(id) {
  if (!window.L) {
    const container = document.getElementById(id);
    container.classList.add("is-broken");
    container.textContent = t("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页");
    return null;
  }
  const map = L.map(id, {
    attributionControl: false,
    zoomControl: false,
    zoomSnap: page.tiles ? 1 : 0.25,
    minZoom: 4,
    maxZoom: 19,
  });
  map.renderers = {};
  for (const [name, depth] of Object.entries(PANES)) {
    map.createPane(name).style.zIndex = depth;
    map.renderers[name] = L.svg({ pane: name, padding: 0.4 });
  }
  L.control.zoom({ zoomInTitle: t("放大"), zoomOutTitle: t("缩小") }).addTo(map);
  homeControl().addTo(map);
  scaleControl().addTo(map);
  if (page.view) {
    const [latitude, longitude, zoom] = page.view.split(",").map(Number);
    map.setView([latitude, longitude], zoom, { animate: false });
  } else {
    goHome(map);
  }
  if (page.tiles) {
    // Escaped by the server: Leaflet takes an attribution as markup.
    L.control.attribution({ prefix: false }).addTo(map);
    L.tileLayer(page.tiles.url, { attribution: page.tiles.attribution, maxZoom: 19, opacity: 0.75 }).addTo(map);
  }
  drawBase(map);
  // Words of Leaflet that its options cannot reach.
  map.on("popupopen", ({ popup }) => {
    popup.getElement().querySelector(".leaflet-popup-close-button")?.setAttribute("aria-label", t("关闭"));
  });
  maps.push(map);
  return map;
}

function goHome(map) {
  map.fitBounds(page.home, { padding: [10, 10], animate: false });
}

function homeControl() {
  const control = L.control({ position: "topleft" });
  control.onAdd = (map) => {
    const button = element("button", { type: "button", class: "home", title: t("回到全图"), "aria-label": t("回到全图") });
    button.append("⌂");
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", () => goHome(map));
    return element("div", { class: "leaflet-bar" }, button);
  };
  return control;
}

/** Rings or lines of an area, for Leaflet. */
export function ringsOf(outline) {
  return outline.map((part) => (Array.isArray(part[0]) ? part.map(unpacked) : unpacked(part)));
}

function drawBase(map) {
  const fill = { stroke: false, fillColor: colour("area"), fillOpacity: page.tiles ? 0 : 1 };
  const edges = { province: [1.6, "city-edge"], city: [1.1, "city-edge"], county: [0.6, "area-edge"] };
  for (const [id, area] of outlines) {
    if (!area.outline) continue;
    const rings = ringsOf(area.outline);
    if (area.level !== "township") {
      L.polygon(rings, { ...fill, interactive: false, renderer: map.renderers.base }).addTo(map);
    }
    if (Object.hasOwn(edges, area.level)) {
      const [weight, name] = edges[area.level];
      const style = id === page.area ? { color: colour("ink"), weight: 2.4, dashArray: "8 4" } : { color: colour(name), weight };
      L.polygon(rings, { ...style, fill: false, interactive: false, renderer: map.renderers.edges }).addTo(map);
    }
  }
}

/** Take note of a layer; it is drawn when it is first shown. */
export function addLayer(map, key, block) {
  if (!map) return;
  if (!drawn.has(key)) drawn.set(key, []);
  drawn.get(key).push({ map, block, layer: null });
  if (switchOf(key)?.checked) show(key, true);
}

/** Return what a layer's maker made on each map, drawing it if need be. */
export function layersOf(key) {
  for (const entry of drawn.get(key) ?? []) {
    entry.layer ??= MAKERS.get(key)(entry.map, readBlock(entry.block), key);
  }
  return drawn.get(key) ?? [];
}

function show(key, isShown) {
  for (const { map, layer } of isShown ? layersOf(key) : drawn.get(key) ?? []) {
    if (isShown) map.addLayer(layer);
    else if (layer) map.removeLayer(layer);
  }
  const signs = document.querySelector(`[data-signs="${key}"]`);
  if (signs) signs.hidden = !isShown;
}

const switchOf = (key) => document.querySelector(`input[data-layer="${key}"]`);

/** Show a layer as if its switch had been used. */
export function switchOn(key) {
  const input = switchOf(key);
  if (!input || input.checked) return;
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Let the switches work, couple the maps, and keep layers and view in the address from now on. */
export function wireMaps() {
  document.querySelector(".layers")?.addEventListener("change", ({ target }) => {
    if (target.name === "shading") for (const key of SHADINGS) show(key, switchOf(key)?.checked ?? false);
    else show(target.dataset.layer, target.checked);
    const shown = [...document.querySelectorAll("input[data-layer]:checked")].map((input) => input.dataset.layer);
    keep("layers", shown.join(",") || "none");
  });
  for (const map of maps) for (const other of maps) if (map !== other) map.sync(other);
  maps[0]?.on("moveend", () => {
    if (isQuiet) return;
    const { lat, lng } = maps[0].getCenter();
    keep("view", [lat.toFixed(4), lng.toFixed(4), maps[0].getZoom()].join(","));
  });
  // A map that is squeezed or stretched by the window must measure itself again.
  const observer = new ResizeObserver(() => quietly(() => maps.forEach((map) => map.invalidateSize({ animate: false }))));
  maps.forEach((map) => observer.observe(map.getContainer()));
  setTimeout(() => (isQuiet = false), 0);
}

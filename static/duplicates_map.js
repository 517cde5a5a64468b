// A small map for each pair: both places with the circles that hold the true ones, on the borders about them.

import { colour, element, lengthText, readBlock, t, unpacked } from "./page.js";

const pairs = readBlock("duplicate-maps");
const EDGES = { city: [1.4, "city-edge"], county: [0.8, "area-edge"] };
const CLOSE = 15;
const names = [() => t("左"), () => t("右")];
const sentences = [(text) => t("左：{text}", { text }), (text) => t("右：{text}", { text })];

/** Draw each map when it first comes near the window: twenty at once would make the page slow. */
export function drawWhenSeen(boxes) {
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "200px" },
  );
  boxes.forEach((box) => observer.observe(box));
}

function draw(box) {
  const { sides, borders } = pairs[box.dataset.map];
  if (!window.L) {
    box.textContent = t("地图脚本没有装好：请运行 python -m layers.assets，再刷新本页");
    return;
  }
  const map = L.map(box, { attributionControl: false, zoomControl: false, zoomSnap: 0.25, minZoom: 4, maxZoom: 19, scrollWheelZoom: false });
  map.setView([34, 113.5], 8);
  L.control.zoom({ zoomInTitle: t("放大"), zoomOutTitle: t("缩小") }).addTo(map);
  scaleControl().addTo(map);
  const drawn = L.featureGroup();
  for (const { level, lines } of borders) {
    const [weight, name] = EDGES[level];
    L.polyline(lines.map(unpacked), { color: colour(name), weight, interactive: false }).addTo(map);
  }
  sides.forEach((side, number) => {
    if (side.at) placeOf(side, number).addTo(drawn);
  });
  drawn.addTo(map);
  map.fitBounds(drawn.getBounds(), { padding: [16, 16], maxZoom: CLOSE, animate: false });
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(box);
}

// Leaflet's own scale speaks only of m and km.
function scaleControl() {
  const Scale = L.Control.Scale.extend({
    _updateMetric(most) {
      const metres = this._getRoundNum(most);
      this._updateScale(this._mScale, lengthText(metres), metres / most);
    },
  });
  return new Scale({ imperial: false, maxWidth: 100 });
}

function placeOf({ at, radius_m: radius, text }, number) {
  const isLeft = number === 0;
  const ink = colour("incident");
  const dot = L.circleMarker(at, {
    radius: isLeft ? 5 : 6,
    color: isLeft ? "#fff" : ink,
    weight: isLeft ? 1.4 : 2,
    fillColor: isLeft ? ink : "#fff",
    fillOpacity: 1,
  });
  const sign = L.marker(at, {
    keyboard: true,
    // Words of any length: the box hangs on the point by its own edge.
    icon: L.divIcon({ className: "duplicate-anchor", html: signOf(number), iconSize: [0, 0] }),
  });
  const lines = [sentences[number](text)];
  if (radius > 0) lines.push(t("真实位置在约{radius}内", { radius: lengthText(radius) }));
  sign.bindTooltip(() => element("span", {}, ...lines.flatMap((line, row) => (row ? [element("br"), line] : [line]))));
  const parts = [dot, sign];
  if (radius > 0) {
    const dashes = isLeft ? null : "6 5";
    parts.unshift(L.circle(at, { radius, color: ink, weight: 1.4, dashArray: dashes, fillColor: ink, fillOpacity: 0.05, interactive: false }));
  }
  return L.featureGroup(parts);
}

function signOf(number) {
  return element("span", { class: `duplicate-mark is-${number ? "right" : "left"}` }, names[number]());
}

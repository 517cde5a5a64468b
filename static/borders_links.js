// Incidents of both sides that may belong together, drawn across the border when somebody asks for them.

import { colour, element, keep, t } from "./page.js";

const BOWED = 0.2;
const STEPS = 20;

/** Let the switch of the links work; the address remembers it. */
export function wireLinks(map, { lines, undrawn }) {
  const box = document.querySelector("[data-links]");
  if (!box || !map) return;
  const status = document.querySelector("[data-links-status]");
  const drawn = L.featureGroup(lines.flatMap((line) => linesOf(map, line)));
  const show = () => {
    keep("links", box.checked ? "1" : "");
    if (box.checked) drawn.addTo(map);
    else drawn.remove();
    status.textContent = box.checked ? told(lines.length, undrawn) : "";
  };
  box.addEventListener("change", show);
  if (box.checked) show();
}

// A bow rather than a straight line: incidents on one line of cable would hide it, and it is no way that anybody went.
function bow([[y1, x1], [y2, x2]]) {
  const squeezed = Math.cos((y1 * Math.PI) / 180);
  const [upX, upY] = [((y1 - y2) * BOWED) / squeezed, (x2 - x1) * BOWED * squeezed];
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const at = step / STEPS;
    const height = 4 * at * (1 - at);
    return [y1 + (y2 - y1) * at + upY * height, x1 + (x2 - x1) * at + upX * height];
  });
}

function linesOf(map, { points, pair, reasons }) {
  const path = bow(points);
  const renderer = map.renderers.candidates;
  const casing = L.polyline(path, { renderer, color: colour("paper"), weight: 7, opacity: 0.95, interactive: false });
  const line = L.polyline(path, { renderer, color: colour("border-pair"), weight: 3.5, className: "border-link" });
  return [casing, line.bindTooltip(() => element("span", {}, pair, element("br"), reasons), { sticky: true })];
}

function told(count, others) {
  if (!others) return t("画出跨界候选{count}对", { count });
  return t("画出跨界候选{count}对；另有{others}对缺位置或同在一点，画不出", { count, others });
}

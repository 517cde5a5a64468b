// Incidents of both sides that may belong together, drawn across the border when somebody asks for them.

import { colour, element, keep, t } from "./page.js";

/** Let the switch of the links work; the address remembers it. */
export function wireLinks(map, { lines, undrawn }) {
  const box = document.querySelector("[data-links]");
  if (!box || !map) return;
  const status = document.querySelector("[data-links-status]");
  const drawn = L.featureGroup(lines.map((line) => lineOf(map, line)));
  const show = () => {
    keep("links", box.checked ? "1" : "");
    if (box.checked) drawn.addTo(map);
    else drawn.remove();
    status.textContent = box.checked ? told(lines.length, undrawn) : "";
  };
  box.addEventListener("change", show);
  if (box.checked) show();
}

function lineOf(map, { points, pair, reasons }) {
  const line = L.polyline(points, { renderer: map.renderers.candidates, color: colour("border-pair"), weight: 4, opacity: 0.95, className: "border-link" });
  return line.bindTooltip(() => element("span", {}, pair, element("br"), reasons), { sticky: true });
}

function told(count, others) {
  if (!others) return t("画出跨界候选{count}对", { count });
  return t("画出跨界候选{count}对；另有{others}对缺位置或同在一点，画不出", { count, others });
}

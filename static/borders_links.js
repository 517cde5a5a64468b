// Incidents of both sides that may belong together, drawn across the border when somebody asks for them.

import { colour, element, keep, t } from "./page.js";

const KINDS = ["link", "alternative"];

/** Let the switch of the links work; the address remembers it. */
export function wireLinks(map) {
  const box = document.querySelector("[data-links]");
  if (!box || !map) return;
  const status = document.querySelector("[data-links-status]");
  let drawn = null;
  const show = async () => {
    keep("links", box.checked ? "1" : "");
    drawn?.remove();
    if (!box.checked) {
      status.textContent = "";
      return;
    }
    status.textContent = t("正在比对两侧的案件…");
    try {
      const pairs = await fetched(box.dataset.links);
      // Only candidates: dozens of pairs below the mark would hide them, and stand on the page of their own.
      const candidates = pairs.filter(({ properties }) => properties.kind === "link");
      drawn = L.featureGroup(candidates.map((feature) => lineOf(map, feature)));
      drawn.told = told(candidates.length, pairs.length - candidates.length);
    } catch {
      status.textContent = t("相关案件没有取到，请稍后再试");
      box.checked = false;
      return;
    }
    // It may have been switched off while the server was comparing.
    if (!box.checked) return;
    drawn.addTo(map);
    status.textContent = drawn.told;
  };
  box.addEventListener("change", show);
  if (box.checked) show();
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "application/geo+json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const { features } = await answer.json();
  return features.filter(({ geometry, properties }) => geometry && properties.is_across && KINDS.includes(properties.kind));
}

function lineOf(map, { geometry, properties }) {
  const line = L.polyline(
    geometry.coordinates.map(([x, y]) => [y, x]),
    { renderer: map.renderers.candidates, color: colour("border-pair"), weight: 4, opacity: 0.95, className: "border-link" },
  );
  return line.bindTooltip(() => element("span", {}, properties.pair, element("br"), properties.reasons), { sticky: true });
}

function told(count, others) {
  if (!count) return t("没有跨界相关的候选；没有达到标准的{count}对不画", { count: others });
  return t("画出跨界候选{count}对；没有达到标准的{others}对不画", { count, others });
}

// Pick two neighbouring areas on the map: the first click lights up who is near, the second opens their border.

import { colour, element, outlines, t } from "./page.js";
import { ringsOf } from "./maps.js";

const IDLE = { weight: 0, fillOpacity: 0.01 };

/** Let areas and borders be clicked; `form` is what is sent then. */
export function wirePicker(map, data, form) {
  if (!data.pairs.length) return;
  const near = neighbours(data.pairs);
  const selected = data.pairs.find((pair) => pair.key === data.selected);
  const status = document.querySelector("[data-pick-status]");
  const shapes = new Map();
  let first = null;

  const say = () => {
    const name = first && outlines.get(first).name;
    const words = near.has(first) ? t("已选{place}：再点一个亮起来的相邻地方；按 Esc 重选", { place: name }) : t("{place}没有可比的邻居", { place: name });
    status.textContent = first ? words : t("先点一个地方，再点与它相邻的、亮起来的另一个");
  };
  const paint = () => {
    for (const [id, shape] of shapes) shape.setStyle(styleOf(id));
    map.getContainer().classList.toggle("is-picking", first !== null);
    say();
  };
  const styleOf = (id) => {
    if (first === id) return { color: colour("ink"), weight: 2.6, fillColor: colour("ink"), fillOpacity: 0.16 };
    if (first && near.get(first)?.has(id)) return { color: colour("border-pair"), weight: 2, fillColor: colour("border-pair"), fillOpacity: 0.3 };
    if (!first && selected?.ids.includes(id)) return { color: colour("ink"), weight: 1.8, fillOpacity: 0.01 };
    return IDLE;
  };
  const pick = (id) => {
    const key = first && near.get(first)?.get(id);
    if (key) return form.open(key);
    first = first === id ? null : id;
    paint();
  };

  for (const [id, area] of outlines) {
    if (area.level !== data.level || !area.outline) continue;
    const shape = L.polygon(ringsOf(area.outline), { renderer: map.renderers.picks, color: colour("ink"), className: "pick", ...IDLE });
    shape.bindTooltip(() => element("span", {}, area.name), { sticky: true });
    shape.on("click", () => pick(id));
    shape.on("mouseover", () => shape.setStyle({ weight: 2.4 }));
    shape.on("mouseout", () => shape.setStyle({ weight: 0, ...styleOf(id) }));
    shapes.set(id, shape.addTo(map));
    shape.getElement().dataset.name = area.name;
  }
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !first) return;
    first = null;
    paint();
  });
  drawBorders(map, data, form);
  paint();
}

// Which key belongs to which two areas.
function neighbours(pairs) {
  const near = new Map();
  for (const { key, ids } of pairs) {
    for (const [one, other] of [ids, [...ids].reverse()]) {
      if (!near.has(one)) near.set(one, new Map());
      near.get(one).set(other, key);
    }
  }
  return near;
}

// Borders themselves: those of the campaign marked, each a line wide enough to be hit.
function drawBorders(map, data, form) {
  const found = new Map(data.borders.map((border) => [border.key, border]));
  for (const pair of data.pairs) {
    if (!pair.line) continue;
    const paths = ringsOf(pair.line);
    const isSelected = pair.key === data.selected;
    if (pair.lead) L.polyline(paths, { renderer: map.renderers.campaign, color: colour("border-pair"), weight: 6, opacity: 0.5, interactive: false, className: "border-named" }).addTo(map);
    L.polyline(paths, { renderer: map.renderers.campaign, color: colour("ink"), weight: isSelected ? 2.4 : 0.9, interactive: false }).addTo(map);
    if (isSelected) continue;
    const hit = L.polyline(paths, { renderer: map.renderers.campaign, color: "#000", opacity: 0, weight: 14, className: "border-hit" }).addTo(map);
    hit.bindTooltip(() => told(pair, found.get(pair.key)), { sticky: true });
    hit.on("click", (event) => {
      L.DomEvent.stop(event);
      form.open(pair.key);
    });
    // A line with a tip is reached by the keyboard: then it is a button, and says which.
    const shape = hit.getElement();
    shape.setAttribute("role", "button");
    shape.setAttribute("aria-label", pair.name);
    shape.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      form.open(pair.key);
    });
  }
}

function told(pair, border) {
  const lines = [pair.name, pair.lead];
  if (border) {
    const [a, b] = border.names;
    const [first, second] = border.counts;
    lines.push(border.reason || t("{a} {count_a}起，{b} {count_b}起", { a, count_a: first, b, count_b: second }));
    if (border.p) lines.push(`p = ${border.p}`);
  }
  const shown = lines.filter(Boolean);
  return element("span", {}, ...shown.flatMap((line, row) => (row ? [element("br"), line] : [line])));
}

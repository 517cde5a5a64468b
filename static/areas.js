// Areas by count, and names.

import { card, colour, element, outlines, t } from "./page.js";
import { drawsLayer, ringsOf } from "./maps.js";

const NAME_ZOOM = 9;

function fillOf(count, ramp) {
  return ramp.find((each) => count > 0 && count <= each.upper)?.colour ?? colour("area");
}

function areaCard(area, data, id) {
  const count = data.counts[id];
  const share = data.total ? Math.round((100 * count) / data.total) : 0;
  const facts = data.silent.includes(id)
    ? []
    : [[t("案件"), t("{count}起", { count })], ["", count ? t("{share}%的案件", { share }) : ""]];
  const remarks = [data.silent.includes(id) && t("没有数据报来"), area.note && `※ ${area.note}`];
  return card(area.name, facts, remarks);
}

drawsLayer("cities", drawCounts);
drawsLayer("counties", drawCounts);

function drawCounts(map, data) {
  const silent = new Set(data.silent);
  const shapes = [];
  for (const [id, count] of Object.entries(data.counts)) {
    const area = outlines.get(id);
    if (!area?.outline) continue;
    const isSilent = silent.has(id);
    const shape = L.polygon(ringsOf(area.outline), {
      renderer: map.renderers.shade,
      color: colour("quiet-ink"),
      weight: 0,
      fillColor: isSilent ? "url(#hatch)" : fillOf(count, data.ramp),
      fillOpacity: isSilent ? 1 : 0.9,
      className: isSilent ? "area is-silent" : "area",
    });
    const told = isSilent ? t("没有数据报来") : t("{count}起", { count });
    shape.bindTooltip(() => element("span", {}, `${area.name} `, told), { sticky: true });
    shape.bindPopup(() => areaCard(area, data, id));
    shape.on("mouseover", () => shape.setStyle({ weight: 2.4 }).bringToFront());
    shape.on("mouseout", () => shape.setStyle({ weight: 0 }));
    shape.areaId = id;
    shapes.push(shape);
  }
  return L.layerGroup(shapes);
}

drawsLayer("labels", (map, data) => {
  const names = [];
  for (const [id, area] of outlines) {
    if (!area.label || !Object.hasOwn(data.counts, id) || !["city", "county"].includes(area.level)) continue;
    const count = data.counts[id];
    const text = element("span", {}, area.name);
    if (area.note) text.append(element("b", { title: t("当时与今天的范围不同") }, "※"));
    if (count && area.level === "city") text.append(element("i", {}, String(count)));
    const icon = L.divIcon({ className: `name name-${area.level}`, html: text, iconSize: [0, 0] });
    names.push(L.marker(area.label, { icon, pane: "names", interactive: false, keyboard: false }));
  }
  const group = L.layerGroup(names);
  const fit = () => map.getContainer().classList.toggle("shows-counties", map.getZoom() >= NAME_ZOOM);
  map.on("zoomend", fit);
  fit();
  return group;
});

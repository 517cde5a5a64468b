// What lies over the areas: density, lines, hotspots, and what the campaign has named.

import { card, colour, element, outlines, t, unpacked, word } from "./page.js";
import { drawsLayer, ringsOf } from "./maps.js";

const LINE_STYLES = {
  power: { weight: 1.6 },
  telecom: { weight: 1.2 },
  broadcasting: { weight: 1.3, dashArray: "6 3" },
  other: { weight: 1.1, dashArray: "2 3" },
};
const MOST_PAGES = 60;
const SVG = "http://www.w3.org/2000/svg";

drawsLayer("density", (map, data) => L.imageOverlay(data.url, data.bounds, { pane: "density", alt: "", className: "density" }));

drawsLayer("lines", (map, data) => {
  const group = L.layerGroup();
  const status = document.querySelector('[data-status="lines"]');
  const fetchAll = async () => {
    status.replaceChildren(t("正在取线路…"));
    try {
      const features = await fetchPages(data.url);
      for (const shape of lineShapes(map, features, data.words)) group.addLayer(shape);
      status.replaceChildren(t("画出{count}段", { count: features.length }));
    } catch {
      const again = element("button", { type: "button", class: "link" }, t("再试一次"));
      again.addEventListener("click", fetchAll);
      status.replaceChildren(t("线路没有取到"), " ", again);
    }
  };
  fetchAll();
  return group;
});

async function fetchPages(url) {
  const features = [];
  let next = url;
  for (let count = 0; next && count < MOST_PAGES; count += 1) {
    const answer = await fetch(next, { headers: { Accept: "application/geo+json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const body = await answer.json();
    features.push(...body.features);
    next = body.next ?? null;
  }
  return features;
}

// One shape for each line and kind, not one for each span: a tenth of the work for the browser.
function lineShapes(map, features, words) {
  const groups = new Map();
  for (const { geometry, properties } of features) {
    if (!geometry) continue;
    const key = JSON.stringify([properties.line_name, properties.sector, properties.kind, properties.laying, properties.pairs]);
    if (!groups.has(key)) groups.set(key, { properties, parts: [] });
    const parts = geometry.type === "MultiLineString" ? geometry.coordinates : [geometry.coordinates];
    groups.get(key).parts.push(...parts.map((part) => part.map(([x, y]) => [y, x])));
  }
  return [...groups.values()].map(({ properties, parts }) => {
    const sector = Object.hasOwn(LINE_STYLES, properties.sector) ? properties.sector : "other";
    const style = { ...LINE_STYLES[sector], color: colour(`line-${sector}`), opacity: 0.75, renderer: map.renderers.lines };
    const named = (code) => (Object.hasOwn(words, code) ? words[code] : code);
    const facts = [
      [t("行业"), properties.sector && word("sector", properties.sector)],
      ["", [named(properties.kind), properties.pairs && t("{count}对", { count: properties.pairs }), named(properties.laying)].filter(Boolean).join(" · ")],
    ];
    return L.polyline(parts, style).bindPopup(() => card(properties.line_name ?? "", facts));
  });
}

// The sentence of the verdict: place, cases, expected, relative risk, p, and how stable it is.
const clusterCard = (each, title) => card(title, [], [each.sentence]);

drawsLayer("hotspots", (map, data) => {
  const shapes = data.flatMap((each) => {
    const rings = ringsOf(each.outline);
    const renderer = map.renderers.hotspots;
    const title = t("热点{number}", { number: each.number });
    const casing = L.polygon(rings, { renderer, color: colour("paper"), weight: 7.5, opacity: 0.95, fill: false, interactive: false });
    const outline = L.polygon(rings, { renderer, color: colour("proven"), weight: 3.6, fillOpacity: 0, className: "hotspot" });
    const icon = L.divIcon({ className: "rank", html: element("span", {}, String(each.number)), iconSize: [24, 24] });
    const label = L.marker(each.label, { icon, title: `${title} ${each.place}`, zIndexOffset: 1000 });
    outline.number = each.number;
    return [casing, outline, label].map((shape) => (shape === casing ? shape : shape.bindPopup(() => clusterCard(each, title))));
  });
  return L.featureGroup(shapes);
});

drawsLayer("candidates", (map, data) => {
  const shapes = data.map((each) => {
    const title = t("候选{number}（不是热点）", { number: each.number });
    const style = { renderer: map.renderers.candidates, color: colour("candidate"), weight: 1.3, dashArray: "1.5 4", fillOpacity: 0, className: "candidate" };
    const shape = L.polygon(ringsOf(each.outline), style).bindPopup(() => clusterCard(each, title));
    shape.number = each.number;
    return shape;
  });
  return L.featureGroup(shapes);
});

const FINDING_STYLES = {
  proven: { colour: "proven", weight: 3.6 },
  passed: { colour: "ink", weight: 2.4 },
  candidate: { colour: "candidate", weight: 1.3, dashArray: "1.5 4" },
};

// Places that an analysis by name found: how sure decides the line, and only what is proven is red.
drawsLayer("findings", (map, data) => {
  const renderer = map.renderers.findings;
  const shapes = data.flatMap((each) => {
    const { colour: name, ...line } = FINDING_STYLES[each.state];
    const style = { renderer, color: colour(name), fillOpacity: 0, className: `finding finding-${each.state}`, ...line };
    const shape = findingShape(each, style);
    if (!shape) return [];
    const title = [each.number, each.letter, each.place].filter(Boolean).join(" ");
    const content = () => card(title, each.facts, [], each.sentence);
    shape.number = each.number;
    shape.bindPopup(content);
    if (each.shape === "line" && each.state !== "candidate") shape.setStyle({ weight: line.weight + 1.6 });
    const casing = each.state === "proven" || (each.shape === "line" && each.state === "passed") ? [casingOf(each, shape, renderer)] : [];
    return [...casing, shape, ...numberOf(each, title).map((label) => label.bindPopup(content))];
  });
  return L.featureGroup(shapes);
});

const findingRings = (each) => {
  const own = each.area ? outlines.get(each.area)?.outline : each.outline;
  return own ? ringsOf(own) : null;
};

function findingShape(each, style) {
  if (each.shape === "point") return L.circleMarker(each.outline, { ...style, radius: 8 });
  if (each.shape === "line") return L.polyline(each.outline.map(unpacked), { ...style, fill: false });
  const rings = findingRings(each);
  return rings && L.polygon(rings, style);
}

// The pale line below a strong one: seen on any ground, also on paper.
function casingOf(each, shape, renderer) {
  const style = { renderer, color: colour("paper"), weight: shape.options.weight + 4, opacity: 0.95, fill: false, interactive: false };
  return findingShape(each, { ...style, dashArray: null, className: "casing" });
}

// Number and letter of the class: the row of the table, found on the map, and told apart without colour.
function numberOf(each, title) {
  const at = each.label ?? outlines.get(each.area)?.label;
  if (!at || !each.is_numbered) return [];
  const html = element("span", {}, `${each.number}${each.letter}`);
  const size = [each.letter ? 22 + 12 * each.letter.length : 24, 22];
  const icon = L.divIcon({ className: `rank rank-${each.state}`, html, iconSize: size });
  return [L.marker(at, { icon, title, zIndexOffset: 1000 })];
}

// A background of an analysis: a picture of cells, or lines that darken and thicken.
drawsLayer("surface", (map, data) => {
  if (data.url) return L.imageOverlay(data.url, data.bounds, { pane: "density", alt: "", className: "density" });
  const shapes = data.classes
    .filter((each) => each.outline.length)
    .map((each) => {
      const style = { renderer: map.renderers.density, color: each.colour, weight: each.width, smoothFactor: 0, interactive: false, className: "line-density" };
      return L.polyline(each.outline.map(unpacked), style);
    });
  return L.layerGroup(shapes);
});

function symbol(path, className) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("class", className);
  drawing.append(shape);
  return drawing;
}

const KEY_SYMBOLS = {
  key_national: ["M8 1 15 8 8 15 1 8z", "is-full"],
  scrap_town: ["M8 2 15 14H1z", ""],
};

drawsLayer("key_areas", (map, data) => {
  const shapes = data.flatMap((each) => {
    const own = outlines.get(each.area);
    const content = () => card(each.name, [], [...each.roles, ...each.notes]);
    const style = { renderer: map.renderers.campaign, color: colour("key-area"), weight: 1.8, dashArray: "5 3", fillOpacity: 0.05 };
    const made = own?.outline && each.role !== "scrap_town" ? [L.polygon(ringsOf(own.outline), style).bindPopup(content)] : [];
    const at = each.at ?? own?.label;
    if (at) {
      const [path, className] = KEY_SYMBOLS[each.role] ?? ["M8 1 15 8 8 15 1 8z", ""];
      const icon = L.divIcon({ className: "key-area", html: symbol(path, className), iconSize: [16, 16] });
      made.push(L.marker(at, { icon, title: [each.name, ...each.roles].join(" ") }).bindPopup(content));
    }
    return made;
  });
  return L.layerGroup(shapes);
});

drawsLayer("border_pairs", (map, data) => {
  const shapes = data
    .filter((each) => each.line)
    .map((each) => {
      const style = { renderer: map.renderers.campaign, color: colour("border-pair"), weight: 7, opacity: 0.5, lineCap: "butt" };
      return L.polyline(each.line.map(unpacked), style).bindPopup(() => card(each.name, [], [each.lead, each.note]));
    });
  return L.layerGroup(shapes);
});

drawsLayer("supervised", (map, data) => {
  const marks = data.map((each) => {
    const icon = L.divIcon({ className: `supervised${each.is_coarse ? " is-coarse" : ""}`, html: "", iconSize: [22, 22] });
    const by = t("督办：{by}（{year}年）", { by: each.by, year: each.year });
    return L.marker(each.at, { icon, title: `${each.key} ${each.place}`, zIndexOffset: -500 }).bindPopup(() => card(each.key, [[t("地点"), each.place]], [by, each.state]));
  });
  return L.layerGroup(marks);
});

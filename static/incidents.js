// Incidents, no more precisely than they are known.

import { card, colour, element, lengthText, page, t, word } from "./page.js";
import { drawsLayer } from "./maps.js";

const COARSE = ["county", "city"];
const EXACT = ["point", "section"];
const RING_PX = 7;
const CROWDED_PX = 60;
const SEVERAL = 15;
const MANY = 300;
const MOST_LISTED = 12;
const MAX_DATA_ZOOM = 16;

drawsLayer("incidents", (map, data) => {
  const incidents = data.rows.map((row) => Object.fromEntries(data.columns.map((name, i) => [name, row[i]])));
  const coarse = incidents.filter((each) => COARSE.includes(each.precision));
  const placed = incidents.filter((each) => !COARSE.includes(each.precision));
  const group = L.layerGroup([...coarseMarks(map, coarse), radii(map, placed), clusters(placed)]);
  if (data.tiles) group.addLayer(tileLayer(map, data.tiles));
  return group;
});

function placeText(each) {
  const precision = word("precision", each.precision);
  if (!each.radius_m) return t("位置：{precision}", { precision });
  return t("位置：{precision}，真实位置在约{radius}内", { precision, radius: lengthText(each.radius_m) });
}

function incidentCard(each) {
  const facts = [
    [t("时间"), each.when],
    [t("地点"), each.place],
    [t("区域"), each.area],
    [t("类别"), word("category", each.category)],
    [t("行业"), each.sector && word("sector", each.sector)],
    [t("损失"), [each.loss, each.outage_hours && t("中断{hours}小时", { hours: each.outage_hours })].filter(Boolean).join(page.locale === "zh" ? "，" : ", ")],
    [t("来源"), each.origin],
    [t("存疑"), each.flags.join(page.locale === "zh" ? "；" : "; ")],
  ];
  return card(each.number || t("案件"), facts, [placeText(each), !each.is_census && t("挂牌督办的案件，不是全部发案")]);
}

function clusters(placed) {
  const group = L.markerClusterGroup({
    maxClusterRadius: placed.length > MANY ? 56 : 34,
    showCoverageOnHover: false,
    spiderLegPolylineOptions: { weight: 1, color: colour("incident"), opacity: 0.5 },
    iconCreateFunction: (cluster) => {
      const count = cluster.getChildCount();
      const size = 22 + Math.min(12, Math.round(3 * Math.log10(count) ** 2));
      cluster.options.title = t("{count}起，放大查看", { count });
      return L.divIcon({ className: "cluster", html: element("span", {}, String(count)), iconSize: [size, size] });
    },
  });
  group.addLayers(
    placed.map((each) => {
      const kind = EXACT.includes(each.precision) ? "dot" : "ring";
      const icon = L.divIcon({ className: `incident ${kind}`, html: "", iconSize: [14, 14] });
      return L.marker(each.at, { icon, title: [each.number, each.place].filter(Boolean).join(" ") }).bindPopup(() => incidentCard(each));
    }),
  );
  return group;
}

const metresPerPixel = (map) => (156543 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** map.getZoom();

// Circles that are smaller than the sign in their middle would only be smudges: they appear on zooming in.
function circlesFrom(map, circles, pixels) {
  const group = L.layerGroup();
  const fit = () => {
    const scale = metresPerPixel(map);
    for (const circle of circles) {
      const isVisible = circle.getRadius() / scale > pixels;
      if (isVisible && !group.hasLayer(circle)) group.addLayer(circle);
      if (!isVisible && group.hasLayer(circle)) group.removeLayer(circle);
    }
  };
  group.on("add", () => {
    map.on("zoomend", fit);
    fit();
  });
  group.on("remove", () => map.off("zoomend", fit));
  return group;
}

function radii(map, placed) {
  const wide = placed.filter((each) => each.radius_m > 0);
  const strength = wide.length > MANY ? { opacity: 0.4, fillOpacity: 0 } : { opacity: 0.55, fillOpacity: 0.045 };
  const style = { renderer: map.renderers.radii, interactive: false, color: colour("incident"), weight: 1, className: "radius", ...strength };
  return circlesFrom(map, wide.map((each) => L.circle(each.at, { radius: each.radius_m, ...style })), RING_PX);
}

// What is known to the county only is never a dot: one dashed circle for all that share it, and their number.
function coarseMarks(map, coarse) {
  const groups = [...grouped(coarse).values()];
  const isMany = groups.length > SEVERAL;
  const strength = isMany ? { weight: 0.9, opacity: 0.5, fillOpacity: 0 } : { weight: 1.4, opacity: 0.75, fillOpacity: 0.02 };
  const style = { renderer: map.renderers.radii, interactive: false, color: colour("incident"), dashArray: "6 6", className: "radius is-coarse", ...strength };
  const circles = groups.map((members) => L.circle(members[0].at, { radius: Math.max(...members.map((each) => each.radius_m)), ...style }));
  const labels = groups.map((members) => {
    const [first] = members;
    const count = members.length;
    const title = t("{count}起只知到{area}，不是准确位置", { count, area: first.area || word("precision", first.precision) });
    const html = element("span", {}, isMany ? String(count) : t("{count}起", { count }));
    const icon = L.divIcon({ className: "coarse", html, iconSize: isMany ? [18, 18] : [38, 20] });
    return L.marker(first.at, { icon, title }).bindPopup(() => listCard(title, members.map(incidentCard)));
  });
  return [circlesFrom(map, circles, isMany ? CROWDED_PX : 0), ...labels];
}

function grouped(coarse) {
  const groups = new Map();
  for (const each of coarse) {
    const key = each.at.join();
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return groups;
}

function listCard(title, cards) {
  const rest = cards.length - MOST_LISTED;
  const tail = rest > 0 ? [element("p", { class: "remark" }, t("另有{count}起", { count: rest }))] : [];
  return element("div", { class: "card-list" }, element("h3", {}, title), ...cards.slice(0, MOST_LISTED), ...tail);
}

// Where too many lie together a tile holds their number instead: a disc in its cell that grows with it, never a
// dot. Discs leave half of the ground free, so that the shading of the areas still speaks.
function sumSymbol(map, ink) {
  return {
    draw(context, [[point]], _zoom, feature) {
      const { count, cell_m: width } = feature.props;
      const room = Math.min(10, (0.42 * width) / metresPerPixel(map));
      context.globalAlpha = 0.45;
      context.beginPath();
      context.arc(point.x, point.y, Math.max(0.8, room * Math.min(1, 0.3 + Math.log10(count) / 5)), 0, 2 * Math.PI);
      context.fillStyle = ink;
      context.fill();
    },
  };
}

// Beyond a few thousand incidents the server draws them into vector tiles; those carry no words.
function tileLayer(map, url) {
  const ink = colour("incident");
  const symbol = {
    draw(context, [[point]], _zoom, feature) {
      const isExact = EXACT.includes(feature.props.place_precision);
      context.globalAlpha = 0.8;
      context.beginPath();
      context.arc(point.x, point.y, isExact ? 3.5 : 4, 0, 2 * Math.PI);
      context.fillStyle = isExact ? ink : "rgba(255,255,255,0.75)";
      context.fill();
      context.lineWidth = 1.3;
      context.strokeStyle = isExact ? "#fff" : ink;
      context.stroke();
    },
  };
  const layer = protomapsL.leafletLayer({
    url,
    attribution: "",
    maxDataZoom: MAX_DATA_ZOOM,
    pane: "radii",
    paintRules: [
      { dataLayer: "incidents", symbolizer: sumSymbol(map, ink), filter: (_zoom, feature) => Boolean(feature.props.is_sum) },
      { dataLayer: "incidents", symbolizer: symbol, filter: (_zoom, feature) => !feature.props.is_sum && !COARSE.includes(feature.props.place_precision) },
    ],
    labelRules: [],
  });
  const ask = ({ latlng }) => {
    const found = [...layer.queryTileFeaturesDebug(latlng.lng, latlng.lat, 8).values()].flat();
    const cards = found.map(({ feature }) => feature.props).filter((props) => !COARSE.includes(props.place_precision)).map(tileCard);
    const count = found.reduce((total, { feature }) => total + (feature.props.is_sum ? feature.props.count : 1), 0);
    if (cards.length) map.openPopup(listCard(t("这里有{count}起", { count }), cards), latlng);
  };
  layer.on("add", () => map.on("click", ask));
  layer.on("remove", () => map.off("click", ask));
  return layer;
}

function tileCard(props) {
  if (props.is_sum) {
    const width = lengthText(props.cell_m);
    return card(t("{count}起", { count: props.count }), [], [t("约{width}见方之内的合计，放大可看单个案件", { width })]);
  }
  const each = { precision: props.place_precision, radius_m: props.radius_m };
  const facts = [
    [t("类别"), word("category", props.category)],
    [t("行业"), props.sector && word("sector", props.sector)],
  ];
  return card(t("案件"), facts, [placeText(each)]);
}

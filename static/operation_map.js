// The map of an operation: its zones, its notes and stake-out points, and the cross-hairs to place them with.

import { addMap, quietly, ringsOf } from "./maps.js";
import { ask, isDone } from "./operation_server.js";
import { colour, element, outlines, page, t } from "./page.js";
import { fitToPaper } from "./paper.js";

const COUNTIES_FROM = 9;
const LINES = 5000;

/** Open the map; null where the scripts of the map are missing. */
export function openMap(id, zones) {
  const map = addMap(id);
  if (!map) return null;
  const drawn = new Map();
  let zoneLayer = null;
  const layer = L.layerGroup().addTo(map);
  const setZones = (shown) => {
    zoneLayer?.remove();
    zoneLayer = L.featureGroup(shown.flatMap((zone) => zoneParts(map, zone))).addTo(map);
  };
  setZones(zones);
  addNames(map);
  addLines(map);
  fitToPaper(map, () => page.home, quietly);

  /** Draw exactly these marks; `choose` gets the one that is chosen. */
  const setMarks = (marks, choose) => {
    const wanted = new Map(marks.map((mark) => [String(mark.id), mark]));
    for (const [key, { marker }] of drawn) {
      if (wanted.has(key)) continue;
      marker.remove();
      drawn.delete(key);
    }
    for (const [key, mark] of wanted) {
      const look = JSON.stringify([mark.kind, mark.text, mark.at, mark.isPending, mark.isNew]);
      if (drawn.get(key)?.look === look) continue;
      drawn.get(key)?.marker.remove();
      drawn.set(key, { look, marker: markerOf(mark, choose).addTo(layer) });
    }
  };

  const showMark = (key) => {
    const marker = drawn.get(String(key))?.marker;
    if (!marker) return;
    map.setView(marker.getLatLng(), Math.max(map.getZoom(), 13), { animate: false });
    marker.getElement()?.focus({ preventScroll: true });
  };

  return { map, setZones, setMarks, showMark, place: placer(map) };
}

function addNames(map) {
  for (const area of outlines.values()) {
    if (!area.label || !["city", "county"].includes(area.level)) continue;
    const icon = L.divIcon({ className: `name name-${area.level}`, html: element("span", {}, area.name), iconSize: [0, 0] });
    L.marker(area.label, { icon, pane: "names", interactive: false, keyboard: false }).addTo(map);
  }
  const fit = () => map.getContainer().classList.toggle("shows-counties", map.getZoom() >= COUNTIES_FROM);
  map.on("zoomend", fit);
  fit();
}

/** Draw the cables about the zones, thin and grey: what is guarded. Without an answer the map stays as it is. */
async function addLines(map) {
  const [[south, west], [north, east]] = page.home;
  const box = [west, south, east, north].map((each) => each.toFixed(5)).join(",");
  const answer = await ask("GET", `/lines?bbox=${box}&limit=${LINES}`);
  if (!isDone(answer)) return;
  const look = { color: colour("line-other"), weight: 1.4, interactive: false, renderer: map.renderers.lines };
  L.geoJSON(answer.body, { style: () => look, interactive: false }).addTo(map);
}

function zoneParts(map, { rank, label, outline }) {
  const ink = colour("border-pair");
  const area = L.polygon(ringsOf(outline), { color: ink, weight: 2.4, dashArray: "9 4", fillColor: ink, fillOpacity: 0.1, renderer: map.renderers.findings });
  area.bindTooltip(() => element("span", {}, label), { sticky: true });
  const corner = area.getBounds();
  const sign = L.marker([corner.getNorth(), corner.getCenter().lng], {
    interactive: false,
    keyboard: false,
    icon: L.divIcon({ className: "operation-anchor", iconSize: [0, 0], html: element("span", { class: "operation-rank" }, String(rank)) }),
  });
  return [area, sign];
}

function markerOf(mark, choose) {
  const isStakeout = mark.kind === "stakeout";
  const look = ["operation-mark", isStakeout ? "is-stakeout" : "is-note", mark.isPending ? "is-pending" : "", mark.isNew ? "is-new" : ""];
  const sign = element("span", { class: look.filter(Boolean).join(" ") }, isStakeout ? t("伏{number}", { number: numberOf(mark) }) : t("注{number}", { number: numberOf(mark) }));
  const marker = L.marker(mark.at, {
    keyboard: true,
    icon: L.divIcon({ className: "operation-anchor", iconSize: [0, 0], html: sign }),
    zIndexOffset: isStakeout ? 100 : 0,
  });
  marker.bindTooltip(() => element("span", {}, mark.text || (isStakeout ? t("设伏点") : t("注记")), element("br"), mark.who), { direction: "top", offset: [0, -12] });
  marker.on("click", () => choose(mark));
  marker.on("add", () => marker.getElement().setAttribute("aria-label", [isStakeout ? t("设伏点") : t("注记"), numberOf(mark), mark.text].join(" ")));
  return marker;
}

const numberOf = (mark) => (typeof mark.id === "number" ? mark.id : t("新"));

/** Let a person choose a place: by a click or a tap, or by moving the map under the cross-hairs. */
function placer(map) {
  const box = document.querySelector("[data-placing]");
  const cross = document.querySelector("[data-cross]");
  let stop = null;

  return function place(sentence, onPick, onCancel = () => {}) {
    stop?.();
    box.hidden = false;
    cross.hidden = false;
    box.querySelector("[data-placing-told]").textContent = sentence;
    const container = map.getContainer();
    container.classList.add("is-placing");
    const end = () => {
      map.off("click", clicked);
      container.removeEventListener("keydown", pressed);
      container.classList.remove("is-placing");
      box.hidden = true;
      cross.hidden = true;
      stop = null;
    };
    const pick = ({ lat, lng }) => {
      end();
      onPick([Number(lat.toFixed(6)), Number(lng.toFixed(6))]);
    };
    const clicked = ({ latlng }) => pick(latlng);
    const pressed = (event) => {
      if (event.target !== container) return;
      if (event.key === "Enter") {
        event.preventDefault();
        pick(map.getCenter());
      } else if (event.key === "Escape") {
        end();
        onCancel();
      }
    };
    box.querySelector("[data-placing-here]").onclick = () => pick(map.getCenter());
    box.querySelector("[data-placing-stop]").onclick = () => {
      end();
      onCancel();
    };
    map.on("click", clicked);
    container.addEventListener("keydown", pressed);
    container.focus({ preventScroll: true });
    stop = end;
  };
}

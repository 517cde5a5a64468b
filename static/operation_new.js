// Propose an operation: a zone from a run is there already, or its corners are put on the map.

import { openMap } from "./operation_map.js";
import { remember, remembered } from "./operation_remembered.js";
import { ask, isDone, newKey, refusal } from "./operation_server.js";
import { wireMaps } from "./maps.js";
import { colour, keep, page, readBlock, t } from "./page.js";

const MOST_CORNERS = 500;
const proposal = readBlock("proposal");
const form = document.querySelector("[data-proposal]");
const fault = document.querySelector("[data-fault]");
const picture = openMap("operation-map", proposal.zones);
if (picture) wireMaps();
if (picture && proposal.zones.length && !page.view) picture.map.fitBounds(page.home, { animate: false });

const corners = [];
const parts = [...form.querySelectorAll("[name=part]")];
// One key for one proposal: pressing twice, or again after a break, proposes once.
let key = newKey();
let outline = null;
const draft = document.querySelector("[data-corners]");

function drawCorners() {
  outline?.remove();
  outline = null;
  const ink = colour("border-pair");
  if (corners.length) {
    const line = corners.length > 2 ? L.polygon(corners, { color: ink, weight: 2.4, dashArray: "9 4", fillOpacity: 0.1 }) : L.polyline(corners, { color: ink, weight: 2.4 });
    outline = L.featureGroup([line, ...corners.map((at) => L.circleMarker(at, { radius: 5, color: ink, fillColor: "#fff", fillOpacity: 1 }))]).addTo(picture.map);
  }
  draft.textContent = corners.length ? t("已放{count}个角", { count: corners.length }) : t("还没有放角");
  document.querySelector("[data-undo]").disabled = !corners.length;
}

/** Keep what was drawn and ticked behind the # of the address: a reload, or the other language, does not lose it. */
function keepDrawing() {
  key = newKey();
  const kept = new URLSearchParams();
  if (corners.length) kept.set("corners", corners.flat().join("_"));
  const ticked = parts.filter((box) => box.checked).map((box) => box.value);
  if (ticked.length) kept.set("parts", ticked.join("_"));
  const address = new URL(location.href);
  address.hash = kept;
  history.replaceState(history.state, "", address);
  tellLanguage();
}

/** Take up what the address keeps of the drawing; what is no corner is none. */
function takeDrawing() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const numbers = (kept.get("corners") || "").split("_").map(Number);
  for (let i = 0; i + 1 < Math.min(numbers.length, 2 * MOST_CORNERS); i += 2) {
    const [lat, lng] = numbers.slice(i, i + 2);
    if (Math.abs(lat) < 90 && Math.abs(lng) <= 180) corners.push([lat, lng]);
  }
  const ticked = new Set((kept.get("parts") || "").split("_"));
  for (const box of parts) box.checked ||= ticked.has(box.value);
}

/** Put corner after corner until somebody stops. */
function putCorner() {
  picture.place(t("点一下区域的角；或移动地图让十字对准，再按“放在这里”（键盘按回车）。至少三个角。"), (at) => {
    corners.push(at);
    drawCorners();
    keepDrawing();
    putCorner();
  });
}

if (draft) {
  const begin = document.querySelector("[data-begin]");
  begin.disabled = !picture;
  begin.addEventListener("click", putCorner);
  document.querySelector("[data-undo]").addEventListener("click", () => {
    corners.pop();
    drawCorners();
    keepDrawing();
  });
  takeDrawing();
  if (picture) drawCorners();
}

/** The city that proposes, as it is chosen: a radio button, or an option of the list. */
const chosen = () => form.querySelector("input[name=city]:checked, select[name=city] option:checked");

function body() {
  const fields = form.elements;
  const asked = {
    city: Number(chosen().value),
    unit: fields.unit.value.trim(),
    window: { from_on: fields.from_on.value, last_on: fields.last_on.value, from_hour: Number(fields.from_hour.value), until_hour: Number(fields.until_hour.value) },
  };
  if (fields.title.value.trim()) asked.title = fields.title.value.trim();
  if (fields.lead.value) asked.lead = Number(fields.lead.value);
  if (proposal.run_id) return { ...asked, run_id: proposal.run_id, zone: proposal.zone };
  asked.cities = parts.filter((box) => box.checked).map((box) => Number(box.value));
  const ring = [...corners, corners[0]].map(([lat, lng]) => [lng, lat]);
  asked.zones = [{ label: fields.label.value.trim(), geometry: { type: "Polygon", coordinates: [ring] } }];
  return asked;
}

function missing() {
  if (proposal.run_id) return "";
  const count = parts.filter((box) => box.checked).length;
  if (count < 2 || count > 3) return t("选两个或三个市");
  if (corners.length < 3) return t("区域至少要三个角");
  return "";
}

form.addEventListener("input", () => (key = newKey()));
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  fault.textContent = missing();
  if (fault.textContent) return;
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  fault.textContent = t("正在记下…");
  const asked = body();
  const answer = await ask("POST", "/operations", { body: asked, key });
  button.disabled = false;
  if (!isDone(answer)) {
    fault.textContent = refusal(answer);
    return;
  }
  remember({ id: asked.city, city: chosen().dataset.city, unit: asked.unit });
  const address = new URL(`/operations/${answer.body.id}`, location.href);
  address.searchParams.set("city", asked.city);
  address.searchParams.set("unit", asked.unit);
  if (page.locale === "en") address.searchParams.set("lang", "en");
  location.assign(address.href);
});

const isUsual = (name) => [...form.querySelectorAll("[data-unit]")].some((each) => each.dataset.unit === name);

form.addEventListener("change", ({ target }) => {
  if (target.name === "part") keepDrawing();
  if (target.name !== "city") return;
  keep("city", target.value);
  tickOwn();
  tellLanguage();
  // Most units speak for their city; a name that was typed stays.
  const typed = form.elements.unit.value.trim();
  if (!typed || isUsual(typed)) form.elements.unit.value = chosen()?.dataset.unit ?? "";
});

/** Who proposes takes part. */
function tickOwn() {
  const own = parts.find((box) => box.value === chosen()?.value);
  if (!own || own.checked) return;
  own.checked = true;
  keepDrawing();
}

/** Take who acted last from this browser where it takes part; else ask that first. */
function beginActor() {
  if (chosen()?.value) return tickOwn();
  const last = remembered();
  const choices = [...form.querySelectorAll("[data-city]")];
  const again = last && choices.find((each) => Number(each.value) === last.id && each.dataset.city === last.city);
  if (again) {
    again[again.localName === "option" ? "selected" : "checked"] = true;
    form.elements.unit.value = last.unit;
    tickOwn();
  } else form.querySelector("[name=city]").focus();
}

function tellLanguage() {
  const address = new URL(location.href);
  address.searchParams.set("lang", page.locale === "zh" ? "en" : "zh");
  document.querySelector("[data-other-language]").href = address.href;
}

beginActor();
tellLanguage();
document.body.dataset.ready = "";

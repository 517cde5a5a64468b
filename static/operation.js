// The page of a joint operation: acts of the cities, units, log and overlay, with what others change as it happens.

import { accepted, actingCity, actor, onActor, refused, wireLanguage } from "./operation_actor.js";
import { follow, freshPage } from "./operation_live.js";
import { openLog } from "./operation_log.js";
import { openMap } from "./operation_map.js";
import { openMarks, tellBox } from "./operation_marks.js";
import { openOutbox } from "./operation_outbox.js";
import { ask, isDone, isWrong, newKey, refusal } from "./operation_server.js";
import { wireMaps } from "./maps.js";
import { readBlock, t } from "./page.js";
import { wirePaper } from "./paper.js";

let operation = readBlock("operation");
const { id } = operation;
const find = (name) => document.querySelector(`[data-${name}]`);
const picture = openMap("operation-map", operation.zones);
if (picture) wireMaps();

let marks = null;
const box = openOutbox(id, {
  onSent: (item, answer) => {
    if (item) accepted(item);
    if (!answer.versions) return;
    const last = answer.versions.at(-1);
    marks.told(
      { id: answer.id, kind: answer.kind, text: answer.text, version: answer.version, etag: answer.etag, at: [answer.latitude, answer.longitude], city: last.city, unit: last.unit, changed_at: clock(last.at) },
      { isRemoved: answer.is_removed },
    );
  },
  onReturned: (item, why) => {
    refused(item);
    (item.action === "entry" ? log : marks).putBack(item, why);
  },
  onChange: () => {
    tellBox(find("outbox"), box.items(), box);
    marks?.draw();
  },
});
marks = openMarks(picture, operation, box);
const log = openLog(box);
tellBox(find("outbox"), box.items(), box);

/** A moment in Chinese time, as the page writes them. */
function clock(text) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(text));
}

function took(change) {
  const detail = change.detail;
  if (!detail.mark_id) return;
  marks.told(
    {
      id: detail.mark_id,
      kind: detail.mark_kind,
      text: detail.text,
      version: detail.version,
      etag: `"${detail.mark_id}-${detail.version}"`,
      at: [detail.latitude, detail.longitude],
      city: change.city,
      unit: change.unit,
      changed_at: clock(change.at),
    },
    { isRemoved: change.kind === "mark_removed", isFresh: true },
  );
}

// Many changes at once ask for one fresh copy.
let waiting = null;
function refreshSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 250);
}

async function refresh({ isWhole = false } = {}) {
  const fresh = await freshPage();
  if (!fresh) return;
  const hasNewZones = JSON.stringify(fresh.zones) !== JSON.stringify(operation.zones);
  operation = fresh;
  if (hasNewZones) picture?.setZones(operation.zones);
  if (isWhole) marks.reset(operation.marks);
  allow();
}

/** Offer what the state and the acting city allow, and nothing else. */
function allow() {
  const city = actingCity();
  for (const button of document.querySelectorAll("[data-act]")) {
    const cities = operation.acts[button.dataset.act] ?? [];
    button.hidden = !cities.length;
    button.disabled = city !== null && !cities.includes(city);
    button.title = button.disabled ? t("这一步不由这个市来做") : "";
  }
  const isOver = !Object.keys(operation.acts).length;
  find("no-acts").hidden = !isOver;
  find("act-note").hidden = isOver;
  for (const part of document.querySelectorAll("[data-when-live]")) part.hidden = !operation.can_draw;
  for (const part of document.querySelectorAll("[data-when-open]")) part.hidden = !operation.can_change;
  for (const button of document.querySelectorAll("[data-remove-unit]")) button.hidden = !operation.can_draw || Number(button.dataset.city) !== city;
  marks.allow(operation.can_draw);
  document.body.dataset.state = operation.state;
}

/** Send something that names the version which was seen; tell what became of it beside its button. */
async function act(method, rest, body, fault) {
  const who = actor();
  if (!who) return false;
  fault.textContent = t("正在记下…");
  const answer = await ask(method, `/operations/${id}${rest}`, { body: { ...who, ...body }, etag: operation.etag, key: newKey() });
  fault.textContent = isDone(answer) ? "" : refusal(answer);
  if (isDone(answer)) accepted(who);
  if (isWrong(answer)) refused(who);
  if (isDone(answer) || [404, 409, 412].includes(answer.status)) await refresh();
  return isDone(answer);
}

// What cannot be taken back is asked for twice: a thumb slips on a phone.
const FINAL = ["end", "withdraw"];

function isMeant(button) {
  if (!FINAL.includes(button.dataset.act) || button.dataset.sure) return true;
  const words = button.textContent;
  button.dataset.sure = "1";
  button.textContent = t("再按一次：{act}", { act: words });
  setTimeout(() => {
    delete button.dataset.sure;
    button.textContent = words;
  }, 5000);
  return false;
}

for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", async () => {
    if (!isMeant(button)) return;
    const text = find("act-text");
    button.disabled = true;
    const isMade = await act("POST", "/acts", { act: button.dataset.act, text: text.value.trim() }, find("act-fault"));
    if (isMade) text.value = "";
    allow();
  });
}

find("change-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const window = { from_on: fields.from_on.value, last_on: fields.last_on.value, from_hour: Number(fields.from_hour.value), until_hour: Number(fields.until_hour.value) };
  const body = { title: fields.title.value.trim(), window };
  if (fields.lead.value) body.lead = Number(fields.lead.value);
  const isMade = await act("PATCH", "", body, find("change-fault"));
  if (isMade) find("change").open = false;
});

find("unit-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const body = { name: fields.name.value.trim(), role: fields.role.value, contact: fields.contact.value.trim() };
  if (await act("POST", "/units", body, find("unit-fault"))) event.target.reset();
});

document.addEventListener("click", ({ target }) => {
  const removal = target.closest("[data-remove-unit]");
  if (removal) act("POST", `/units/${removal.dataset.removeUnit}/removal`, {}, find("unit-fault"));
  const shown = target.closest("[data-show-mark]");
  if (shown) marks.choose(Number(shown.dataset.showMark));
});

function tellLine(isThere) {
  const line = find("line");
  line.dataset.line = isThere ? "on" : "off";
  const words = isThere ? t("已连接，别人的改动随时显示") : t("连接中断，正在重试；现在画的、写的先存在本机");
  if (line.textContent !== words) line.textContent = words;
}

follow(id, operation.last, {
  onChange: (change) => {
    took(change);
    refreshSoon();
  },
  onLine: (isThere) => {
    const wasAway = find("line").dataset.line === "off";
    tellLine(isThere);
    if (isThere) box.flush();
    if (isThere && wasAway) refreshSoon();
  },
  onReset: () => refresh({ isWhole: true }),
});
setInterval(() => box.flush(), 5000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshSoon();
});
wirePaper();
onActor(allow);
wireLanguage();
allow();
document.body.dataset.ready = "";

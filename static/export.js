// The export page: counts anew whenever a choice changes. Without this script the form and the link do the same.

import { readBlock, t } from "./page.js";

const PAUSE_MS = 250;
const UNITS = ["kB", "MB", "GB", "TB"];
const { applies } = readBlock("export-facts");
const form = document.querySelector(".export-form");
const part = (name) => document.querySelector(`[data-${name}]`);
let newest = 0;
let waiting;

/** Bytes as layers/export_page.py writes them. */
function sizeText(bytes) {
  let size = Math.max(bytes, 1000) / 1000;
  let unit = 0;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size >= 10 || unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${UNITS[unit]}`;
}

const shown = (number) => number.toLocaleString("en-US");

/** The filter of the form as the address of a download takes it, or the sentence that says what is wrong. */
function chosen() {
  const given = new FormData(form);
  const what = given.get("what");
  const parts = new Set(applies[what]);
  const query = new URLSearchParams();
  const [start, end] = [given.get("start"), given.get("end")];
  if (parts.has("period")) {
    if (Boolean(start) !== Boolean(end)) return { fault: t("开始和结束日期要么都填，要么都不填") };
    if (start && end < start) return { fault: t("结束日期早于开始日期") };
    if (start) query.set("period", `${start}/${end}`);
  }
  for (const name of ["category", "sector", "area", "bbox", "run"]) {
    const value = given.get(name)?.trim();
    if (parts.has(name) && value) query.set(name, value);
  }
  if (parts.has("run") && !query.has("run")) return { fault: t("请先选一次计算") };
  return { what, form: given.get("form"), query };
}

function showFilters() {
  const parts = new Set(applies[new FormData(form).get("what")]);
  for (const label of form.querySelectorAll("[data-filter]")) label.hidden = !parts.has(label.dataset.filter);
}

/** Keep the choices in the address, so that a reload, a link sent on and the other language show the same. */
function keepAddress() {
  const url = new URL(location.href);
  url.search = "";
  for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
  history.replaceState(history.state, "", url);
  const other = document.querySelector("[data-other-language]");
  const language = new URL(other.href).searchParams.get("lang");
  url.searchParams.set("lang", language);
  other.href = url.href;
}

function refuse(sentence) {
  part("fault").hidden = true;
  part("problem").textContent = sentence;
  part("problem").hidden = false;
  part("counted").hidden = true;
  part("download").hidden = true;
  part("name").hidden = true;
}

function showCount(counted, choice) {
  part("problem").hidden = true;
  part("counted").hidden = false;
  part("rows").textContent = counted.rows ? t("写出{rows}行", { rows: shown(counted.rows) }) : t("没有符合条件的数据");
  part("stored").textContent = t("库中共{stored}行", { stored: shown(counted.stored) });
  part("withheld").textContent = t("另有{withheld}行不得外传，不写出", { withheld: shown(counted.withheld) });
  part("withheld").hidden = !counted.withheld;
  part("empty").textContent = t("放宽时段或去掉一些条件，再试一次。");
  part("empty").hidden = counted.rows > 0;
  part("download").hidden = !counted.rows;
  part("name").hidden = !counted.rows;
  part("link").href = `/exports/${choice.what}.${choice.form}?${choice.query}`;
  part("size").textContent = t("约{size}", { size: sizeText(counted.estimated_bytes[choice.form]) });
  part("name").firstElementChild.textContent = counted.file_name;
}

async function count() {
  const mine = ++newest;
  part("left-out")?.remove();
  showFilters();
  keepAddress();
  const choice = chosen();
  if (choice.fault) {
    refuse(choice.fault);
    return;
  }
  part("result").classList.add("is-counting");
  part("rows").textContent = t("正在计数…");
  // An old link must not be taken for the new choice.
  part("download").hidden = true;
  try {
    const answer = await fetch(`/exports/${choice.what}/count?${choice.query}`, { headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (mine !== newest) return;
    if (answer.ok) showCount(told, choice);
    else refuse(told.errors?.[0]?.message ?? told.detail ?? told.title);
  } catch {
    if (mine === newest) refuse(t("没有连上服务器，请稍后再试"));
  } finally {
    if (mine === newest) part("result").classList.remove("is-counting");
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(count, PAUSE_MS);
}

part("without-script").hidden = true;
form.addEventListener("input", soon);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  count();
});
showFilters();
keepAddress();
document.body.dataset.ready = "";

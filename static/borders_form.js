// The form above the map of borders: months by slider, depth in words, and the wish to compute at once.

import { page, t } from "./page.js";

const ASK = "huxian-borders-ask";
const MONTHS = 12;

/** Remember that the page which is opened next was asked for: it computes without another click. */
function rememberToAsk() {
  sessionStorage.setItem(ASK, "1");
}

/** Begin the computation that the person asked for by choosing what this page shows. */
export function askWhenOpened() {
  const isAsked = sessionStorage.getItem(ASK) !== null;
  sessionStorage.removeItem(ASK);
  const start = document.querySelector("[data-run-start]");
  if (isAsked && start && !start.hidden && ["none", "cancelled"].includes(page.run.state)) start.click();
  for (const link of document.querySelectorAll("a[data-ask]")) link.addEventListener("click", rememberToAsk);
}

/** Wire the form; what it returns opens a border with everything else as the fields stand. */
export function wireBorderForm(data) {
  const form = document.querySelector("[data-border-form]");
  const { pair, scope, level, start, end, depth_m: depth, step_m: step } = form.elements;
  const isAsShown = () =>
    [start, end, depth].every((field) => field.value === field.defaultValue) && [...step.options].every((option) => option.selected === option.defaultSelected);
  const settleScope = () => {
    // Among all borders only where that result is there already; else the pair by itself is the quicker question.
    const wanted = pair.value && pair.value === data.selected ? scope.defaultValue : data.scope;
    scope.value = pair.value && isAsShown() ? wanted : "";
    scope.disabled = !scope.value;
  };
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    settleScope();
    rememberToAsk();
  });
  // Pairs of one level are none of the other.
  level.addEventListener("change", () => {
    pair.value = "";
    form.requestSubmit();
  });
  const depthText = form.querySelector("[data-depth-text]");
  depth.addEventListener("input", () => (depthText.textContent = lengthOf(Number(depth.value))));
  wireMonths(form, start, end);
  return {
    open(key) {
      pair.value = key;
      form.requestSubmit();
    },
  };
}

const lengthOf = (metres) => (metres < 1000 ? t("{metres}米", { metres }) : t("{km}公里", { km: metres / 1000 }));

// Months since the year 0, so that a slider can count them.
const monthOf = (text) => Number(text.slice(0, 4)) * MONTHS + Number(text.slice(5, 7)) - 1;
const pad = (number, length) => String(number).padStart(length, "0");
const nameOf = (month) => `${pad(Math.floor(month / MONTHS), 4)}-${pad((month % MONTHS) + 1, 2)}`;
const lastDayOf = (month) => new Date(Date.UTC(Math.floor(month / MONTHS), (month % MONTHS) + 1, 0)).getUTCDate();

function wireMonths(form, start, end) {
  const box = form.querySelector("[data-months]");
  if (!box) return;
  const low = monthOf(box.dataset.first);
  const high = monthOf(box.dataset.last);
  const first = box.querySelector('[data-month="start"]');
  const last = box.querySelector('[data-month="end"]');
  const text = box.querySelector("[data-months-text]");
  for (const range of [first, last]) range.max = String(high - low);
  const clamp = (month) => Math.min(Math.max(month - low, 0), high - low);
  const told = () => {
    text.textContent = t("{since}至{until}", { since: nameOf(low + Number(first.value)), until: nameOf(low + Number(last.value)) });
    for (const range of [first, last]) range.setAttribute("aria-valuetext", nameOf(low + Number(range.value)));
  };
  const fromDates = () => {
    if (start.value) first.value = String(clamp(monthOf(start.value)));
    if (end.value) last.value = String(clamp(monthOf(end.value)));
    told();
    const isOutside = [start, end].some((field) => field.value && monthOf(field.value) - low !== clamp(monthOf(field.value)));
    if (isOutside) text.textContent = t("超出案件的时段（{since}至{until}）", { since: nameOf(low), until: nameOf(high) });
  };
  const toDates = (moved) => {
    // Neither end passes the other: the one that is moved pushes it along.
    if (Number(first.value) > Number(last.value)) (moved === first ? last : first).value = moved.value;
    const since = low + Number(first.value);
    const until = low + Number(last.value);
    start.value = `${nameOf(since)}-01`;
    end.value = `${nameOf(until)}-${pad(lastDayOf(until), 2)}`;
    told();
  };
  for (const range of [first, last]) range.addEventListener("input", () => toDates(range));
  for (const field of [start, end]) field.addEventListener("change", fromDates);
  window.addEventListener("pageshow", fromDates);
  fromDates();
  box.hidden = high <= low;
}

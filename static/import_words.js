// Words of the import page: labels of codes, faults as sentences, numbers, small elements.

import { element, page, readBlock, t } from "./page.js";

export const data = readBlock("import-data");
const faults = readBlock("import-faults");

const labels = (list) => new Map(list.map(({ code, label }) => [code, label]));
const KINDS = labels([...data.kinds, ...data.other_kinds]);
const DATUMS = labels(data.datums);
const PRECISIONS = labels(data.precisions);

export const kindWord = (code) => KINDS.get(code) ?? code;
export const precisionWord = (code) => PRECISIONS.get(code) ?? code;

/** A declared datum in words; the server may write a metric one as `epsg:4547`. */
export function datumWord(code) {
  const plain = String(code ?? "").replace(/^epsg:/i, "");
  return DATUMS.get(plain) ?? (/^\d+$/.test(plain) ? `EPSG:${plain}` : plain);
}

export const isChinese = page.locale === "zh";

export const count = (number) => Number(number ?? 0).toLocaleString(isChinese ? "zh-CN" : "en");

/** A point in time as the server wrote it, in China's time. */
export function moment(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return String(text ?? "");
  return at.toLocaleString(isChinese ? "zh-CN" : "en-GB", { timeZone: "Asia/Shanghai", dateStyle: "medium", timeStyle: "short" });
}

/** Bytes as people say them. */
export function bytes(number) {
  if (number < 1e6) return `${Math.max(1, Math.round(number / 1e3))} kB`;
  return `${number < 1e7 ? (number / 1e6).toFixed(1) : Math.round(number / 1e6)} MB`;
}

/** Kilometres squared, with as many digits as mean something. */
export function squareKilometres(km2) {
  const text = km2 >= 100 ? count(Math.round(km2)) : Number(km2).toPrecision(2);
  return isChinese ? `${text}平方公里` : `${text} km²`;
}

/** What is wrong, in the language of the page; an unknown code shows the server's own sentence. */
export function faultText({ code, message }) {
  const text = String(message ?? "");
  for (const [pattern, sentence] of Object.hasOwn(faults, code) ? faults[code] : []) {
    const found = pattern ? new RegExp(pattern).exec(text) : { groups: {} };
    if (found) return sentence.replace(/\{(\w+)\}/g, (whole, name) => found.groups?.[name] ?? whole);
  }
  return text || String(code ?? "");
}

/** The label of a column of ours; anything else is a header word and stands for itself. */
export function columnWord(columns, name) {
  const known = columns.find((column) => column.name === name);
  return known ? columnLabel(known) : String(name ?? "");
}

export const columnLabel = (column) => (isChinese ? column.label_zh : column.label_en) || column.name;

/** Names one after the other. */
export const listed = (names) => names.join(isChinese ? "、" : ", ");

/** Row and column of a fault, in words. */
export function faultPlace({ row, column }, columns = []) {
  const parts = [];
  if (row !== null && row !== undefined) parts.push(t("第{row}行", { row }));
  if (column) parts.push(isChinese ? `「${columnWord(columns, column)}」` : `“${columnWord(columns, column)}”`);
  return parts.join(" ");
}

/** A button with a text and what it does. */
export function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes });
  made.textContent = text;
  made.addEventListener("click", action);
  return made;
}

/** A select of [value, label]; one of them chosen. */
export function select(choices, chosen, attributes = {}) {
  const made = element("select", attributes);
  for (const [value, label] of choices) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = label;
    option.selected = value === chosen;
    made.append(option);
  }
  return made;
}

/** A table from a head of texts and rows of texts or elements; each cell knows the head above it for small screens. */
export function table(head, rows, caption) {
  const made = element("table");
  if (caption) made.append(element("caption", { class: "visually-hidden" }, caption));
  const top = element("tr");
  for (const text of head) top.append(element("th", { scope: "col" }, text));
  made.append(element("thead", {}, top));
  const body = element("tbody");
  for (const cells of rows) {
    const line = element("tr");
    cells.forEach((cell, index) => line.append(element(index ? "td" : "th", index ? { "data-head": head[index] } : { scope: "row", "data-head": head[index] }, cell)));
    body.append(line);
  }
  made.append(body);
  return made;
}

/** A region that scrolls sideways, reachable by keyboard. */
export const scrolling = (label, ...children) => element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...children);

/** An element of the page by its data attribute. */
export const part = (name) => document.querySelector(`[data-${name}]`);

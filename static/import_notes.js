// What is worth knowing about a file: counts, datum, notices, gaps and overlaps, the first rows as understood.

import { element, t } from "./page.js";
import { showPlace, showRow } from "./import_map.js";
import { button, bytes, columnWord, count, data, datumWord, faultPlace, faultText, isChinese, kindWord, listed, part, precisionWord, scrolling, squareKilometres, table } from "./import_words.js";

const MOST_NOTICES = 6;
const CHINA_MS = 8 * 3600 * 1000;
// Verdicts on the declared datum that ask nothing of the user.
const FINE = ["consistent", "not_enough_to_tell", "references_disagree"];

/** Write how many rows there are of each sort, and which file this is. */
export function drawCounts({ file_name: name, byte_count: size, kind, source, settings, state, preview }) {
  part("check-title").textContent = name;
  const facts = [kindWord(kind), source, datumWord(settings.datum), preview.form, preview.encoding, bytes(size ?? 0)];
  part("check-file").textContent = facts.filter(Boolean).join(" · ");
  for (const line of ["counts", "counts-more"]) part(line).hidden = state === "refused";
  const { good_count: good, rejected_count: rejected, skipped_count: skipped } = preview;
  const sums = [t("可导入{count}行", { count: count(good) })];
  if (rejected) sums.push(t("{count}行有误", { count: count(rejected) }));
  if (skipped) sums.push(t("跳过{count}行", { count: count(skipped) }));
  part("counts").textContent = sums.join(t("，"));
  const { new_count: fresh, known_count: known, conflict_count: conflicts, period } = preview;
  const more = [t("其中新{fresh}、已有{known}、冲突{conflicts}", { fresh: count(fresh), known: count(known), conflicts: count(conflicts) })];
  if (period) more.push(t("时间从{first}到{last}", { first: dayOf(period[0]), last: dayBefore(period[1]) }));
  part("counts-more").textContent = more.join(t("；"));
}

// Ends are the first moment after: the last day is the one before it.
const dayBefore = (text) => new Date(new Date(text).getTime() - 1000 + CHINA_MS).toISOString().slice(0, 10);
const dayOf = (text) => new Date(new Date(text).getTime() + CHINA_MS).toISOString().slice(0, 10);

/** Show what the places say about the declared datum, when it is not plain agreement. */
export function drawDatumCheck({ datum_check: check }) {
  const box = part("datum-box");
  const sentence = check && check.reason !== "no_points" ? (isChinese ? check.sentence_zh : check.sentence_en) : "";
  box.hidden = !sentence;
  if (!sentence) return;
  const isFine = FINE.includes(check.verdict);
  box.classList.toggle("is-warning", !isFine);
  box.replaceChildren(isFine ? element("span", {}, sentence) : element("strong", {}, t("请再看一眼坐标系")), ...(isFine ? [] : [element("p", {}, sentence)]));
}

/** List what was assumed or left out. */
export function drawNotices({ notices, columns }) {
  const box = part("notices");
  box.replaceChildren();
  if (!notices?.length) return;
  const list = element("ul", { class: "import-faults" });
  const lines = notices.map((notice) => {
    const place = faultPlace(notice, columns);
    return element("li", {}, place ? element("span", { class: "import-place" }, place) : "", " ", element("span", {}, faultText(notice)));
  });
  list.append(...lines.slice(0, MOST_NOTICES));
  box.append(element("h2", {}, t("读的时候")), list);
  if (lines.length > MOST_NOTICES) {
    const more = button(t("另有{count}处", { count: count(lines.length - MOST_NOTICES) }), () => {
      list.append(...lines.slice(MOST_NOTICES));
      more.remove();
    });
    more.classList.add("link");
    box.append(more);
  }
}

/** For areas: where they leave gaps and where two cover one ground, with sizes; each shown on the map. */
export function drawCoverage({ coverage }) {
  const box = part("coverage");
  box.replaceChildren();
  if (!coverage) return;
  const { gaps, overlaps } = coverage;
  if (!gaps.length && !overlaps.length) {
    box.append(element("p", {}, t("各区之间没有空隙，也没有重叠。")));
    return;
  }
  box.append(element("h2", {}, t("空隙和重叠")));
  const list = element("ul", { class: "import-faults" });
  for (const gap of gaps) list.append(place(t("空隙{size}", { size: squareKilometres(gap.km2) }), gap));
  for (const overlap of overlaps) {
    list.append(place(t("{names}重叠{size}", { names: listed(overlap.names), size: squareKilometres(overlap.km2) }), overlap));
  }
  box.append(list);
}

function place(text, { lon, lat }) {
  const made = button(text, () => showPlace(lon, lat, text));
  made.classList.add("link");
  return element("li", {}, made);
}

/** Show the first rows as they were understood. */
export function drawRows({ rows, columns, good_count: good }) {
  const box = part("rows");
  box.hidden = !rows?.length;
  if (box.hidden) return;
  const present = new Set(rows.flatMap(({ values }) => Object.keys(values).filter((name) => values[name] !== "" && values[name] !== null)));
  const known = columns.map(({ name }) => name).filter((name) => present.has(name));
  const names = [...known, ...[...present].filter((name) => !known.includes(name))];
  const body = rows.map(({ row, values }) => [rowButton(row), ...names.map((name) => valueText(name, values[name]))]);
  const drawn = table([t("行号"), ...names.map((name) => columnWord(columns, name))], body, t("读懂的样子"));
  drawn.classList.add("import-first");
  const title = rows.length < good ? t("读懂的样子（前{count}行）", { count: rows.length }) : t("读懂的样子");
  box.replaceChildren(element("h2", {}, title), scrolling(t("读懂的样子"), drawn));
}

function valueText(name, value) {
  if (name === "place_precision") return precisionWord(value ?? "");
  if (Object.hasOwn(data.value_words, name)) return data.value_words[name][value] ?? value;
  return name === "declared_datum" ? datumWord(value) : String(value ?? "");
}

function rowButton(row) {
  const made = button(String(row), () => {
    if (!showRow(row)) made.disabled = true;
  });
  made.classList.add("link");
  made.title = t("在图上看");
  return made;
}

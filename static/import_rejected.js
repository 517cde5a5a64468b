// The rows that cannot be taken in, as a table to mend them in; and the rows in conflict with what is stored.

import { element, t } from "./page.js";
import { correct, correction, isSkipped, skip } from "./import_draft.js";
import { rejectedAddress } from "./import_server.js";
import { button, columnWord, count, faultText, part, scrolling, table } from "./import_words.js";

/** Draw the rejected rows; `onSkipAll` skips every one of the file, shown or not. */
export function drawRejected(upload, { onApply, onSkipAll }) {
  const { preview } = upload;
  const box = part("rejected");
  box.hidden = !preview.rejected_count;
  if (box.hidden) return;
  const rows = byRow(preview.rejected);
  const shown = rows.size < preview.rejected_count ? t("下面是前{shown}行；全部的清单可以下载。", { shown: count(rows.size) }) : "";
  const download = element("a", { href: rejectedAddress(upload.id), download: "" }, t("下载全部有误的行（CSV）"));
  const lines = [...rows].flatMap(([row, faults]) => faultLines(row, faults, preview));
  const drawn = table([t("行号"), t("列"), t("错在哪里"), t("改成"), ""], lines, t("有误的行"));
  drawn.classList.add("import-mend", "import-cards");
  markRows(drawn);
  const actions = element(
    "p",
    { class: "import-actions" },
    button(t("改好后重新检查"), onApply),
    button(t("跳过全部有误的行"), onSkipAll, { "data-skip-all": "" }),
    download,
  );
  const title = element("h2", {}, t("有误的行（{count}行）", { count: count(preview.rejected_count) }));
  box.replaceChildren(title, element("p", { class: "quiet" }, shown), scrolling(t("有误的行"), drawn), actions);
}

function byRow(rejected) {
  const rows = new Map();
  for (const fault of rejected) rows.set(fault.row, [...(rows.get(fault.row) ?? []), fault]);
  return rows;
}

// One line for each fault of a row; number, other cells and the button stand once.
function faultLines(row, faults, preview) {
  const written = faults.find(({ cells }) => cells && Object.keys(cells).length)?.cells ?? {};
  const headers = preview.header ?? Object.keys(written);
  const named = faults.map(({ column }) => column);
  const rest = headers.filter((header) => !named.includes(header));
  return faults.map((fault, index) => {
    const isOwn = fault.column !== null && headers.includes(fault.column) && named.indexOf(fault.column) === index;
    const isLast = index === faults.length - 1;
    return [
      index ? "" : rowWord(row),
      fault.column ? columnWord(preview.columns, fault.column) : "—",
      faultText(fault),
      element(
        "div",
        {},
        ...(isOwn && row !== null ? [cellInput(row, fault.column, written[fault.column], preview)] : []),
        ...(isLast && row !== null && rest.length ? [otherCells(row, rest, written, preview)] : []),
      ),
      index || row === null ? "" : skipButton(row),
    ];
  });
}

const rowWord = (row) => (row === null ? t("全文件") : String(row));

// The text as written is not known of a row that only the database refuses; what is typed then replaces it.
function cellInput(row, header, text, preview) {
  const label = t("第{row}行「{column}」", { row, column: columnWord(preview.columns, header) });
  const input = element("input", { "aria-label": label, maxlength: "10000", autocomplete: "off", spellcheck: "false" });
  const original = text ?? "";
  if (text === undefined) input.placeholder = t("不改就空着");
  input.value = correction(row, header) ?? original;
  input.addEventListener("input", () => {
    correct(row, header, input.value, original);
    input.classList.toggle("is-changed", input.value !== original);
  });
  return input;
}

// Cells that no fault names are drawn when they are asked for: a hundred rows of forty columns are many inputs.
function otherCells(row, headers, cells, preview) {
  const details = element("details", {}, element("summary", {}, t("这一行的其他格")));
  details.addEventListener("toggle", () => {
    if (!details.open || details.childElementCount > 1) return;
    for (const header of headers) details.append(element("label", {}, header, cellInput(row, header, cells[header], preview)));
  });
  return details;
}

function skipButton(row) {
  const made = button("", () => {
    skip([row], !isSkipped(row));
    markRows(made.closest("table"));
  });
  made.dataset.skip = row;
  return made;
}

// Lines below a row's first belong to it.
function markRows(drawn) {
  let is = false;
  for (const line of drawn.tBodies[0].rows) {
    const control = line.querySelector("[data-skip]");
    const isFirst = Boolean(line.cells[0].textContent);
    line.classList.toggle("is-more", !isFirst);
    if (isFirst) is = control !== null && isSkipped(Number(control.dataset.skip));
    line.classList.toggle("is-skipped", is);
    if (!control) continue;
    control.setAttribute("aria-pressed", String(is));
    control.textContent = is ? t("不跳过") : t("跳过这一行");
  }
}

/** Draw the rows whose key is stored with other values: both sides. */
export function drawConflicts(upload) {
  const { preview } = upload;
  const box = part("conflicts");
  box.hidden = !preview.conflict_count;
  if (box.hidden) return;
  const lines = preview.conflicts.flatMap((conflict) => conflictLines(conflict, preview));
  const drawn = table([t("行号"), t("编号"), t("项"), t("库里的"), t("文件里的"), ""], lines, t("与已有记录不同的行"));
  drawn.classList.add("import-conflicts");
  markRows(drawn);
  const shown = preview.conflicts.length < preview.conflict_count ? t("下面是前{shown}行。", { shown: count(preview.conflicts.length) }) : "";
  const all = button(t("跳过这里列出的行"), () => {
    skip(preview.conflicts.map(({ row }) => row), true);
    markRows(drawn);
  });
  box.replaceChildren(
    element("h2", {}, t("与已有记录不同的行（{count}行）", { count: count(preview.conflict_count) })),
    element("p", {}, t("导入从不改动已有的记录。请跳过这些行，或在来源处弄清哪一边对。"), shown ? ` ${shown}` : ""),
    scrolling(t("与已有记录不同的行"), drawn),
    element("p", { class: "import-actions" }, all),
  );
}

function conflictLines({ row, key, stored, given }, preview) {
  const names = Object.keys({ ...stored, ...given }).filter((name) => (stored[name] ?? "") !== (given[name] ?? ""));
  return names.map((name, index) => [
    index ? "" : String(row),
    index ? "" : String(key ?? ""),
    columnWord(preview.columns, name),
    element("span", { class: "import-stored" }, stored[name] ?? ""),
    element("span", { class: "import-given" }, given[name] ?? ""),
    index ? "" : skipButton(row),
  ]);
}

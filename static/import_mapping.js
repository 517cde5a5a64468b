// What each header word means: a select for each, kept by the server for the next file of this source.

import { element, t } from "./page.js";
import { fillDown, isFilledDown, mapHeader, mappedTo } from "./import_draft.js";
import { columnLabel, columnWord, listed, part, scrolling, select, table } from "./import_words.js";

/** Draw the table of header words. */
export function drawMapping(upload) {
  const { preview, source } = upload;
  const box = part("mapping");
  box.hidden = !preview.header?.length;
  if (box.hidden) return;
  const unmapped = preview.header.filter((header) => !mappedTo(header)).length;
  const summary = element("summary", {}, element("h2", {}, t("列的对应")));
  summary.append(" ", element("span", { class: "quiet" }, unmapped ? t("{count}列没有对应，不导入", { count: unmapped }) : t("每一列都认识")));
  const hint = element("p", { class: "quiet" }, t("导入后会为「{source}」记住，下次自动套用。", { source }));
  const drawn = table([t("文件里的列"), t("是什么"), t("空格沿用上一行")], preview.header.map((header) => line(header, preview)), t("列的对应"));
  drawn.classList.add("import-map-table");
  const details = element("details", {}, summary, hint, needed(preview), scrolling(t("列的对应"), drawn));
  details.open = unmapped > 0 || missing(preview).length > 0;
  details.addEventListener("change", () => {
    markTwins(drawn);
    details.querySelector("[data-needed]").replaceWith(needed(preview));
  });
  box.replaceChildren(details);
  markTwins(drawn);
}

function line(header, preview) {
  const choices = [["", t("不导入")], ...preview.columns.map((column) => [column.name, columnLabel(column) + (column.is_required ? " *" : "")])];
  const current = mappedTo(header);
  if (current && !preview.columns.some(({ name }) => name === current)) choices.push([current, columnWord(preview.columns, current)]);
  const chooser = select(choices, current, { "aria-label": t("「{header}」是什么", { header }) });
  chooser.dataset.header = header;
  const note = element("span", { class: "import-fault", "data-twin": "" });
  chooser.addEventListener("change", () => mapHeader(header, chooser.value));
  const box = element("input", { type: "checkbox", "aria-label": t("「{header}」的空格沿用上一行", { header }) });
  box.checked = isFilledDown(header);
  box.addEventListener("change", () => fillDown(header, box.checked));
  return [header, element("span", {}, chooser, " ", note), element("label", { class: "check" }, box)];
}

const missing = (preview) => {
  const used = new Set(preview.header.map(mappedTo));
  return preview.columns.filter((column) => column.is_required && !used.has(column.name));
};

function needed(preview) {
  const names = missing(preview).map(columnLabel);
  const made = element("p", { "data-needed": "", class: "import-needed" });
  if (names.length) made.append(element("strong", {}, t("还缺：{names}", { names: listed(names) })));
  return made;
}

// Two header words for one column: the server would refuse the file.
function markTwins(drawn) {
  const chosen = [...drawn.querySelectorAll("select")];
  for (const chooser of chosen) {
    const twin = chooser.value && chosen.find((other) => other !== chooser && other.value === chooser.value);
    const note = chooser.closest("td").querySelector("[data-twin]");
    note.textContent = twin ? t("与「{header}」重复", { header: twin.dataset.header }) : "";
  }
}

// What the server refused: title, sentence, and where in the file.

import { element, page, t } from "./page.js";
import { Refusal } from "./import_server.js";
import { faultPlace, faultText, isChinese, part } from "./import_words.js";

const MOST = 20;

// The half of a title that is in the page's language; the server writes both.
function inLanguage(text) {
  const whole = String(text ?? "");
  const parts = whole.split(/ [/·] /);
  if (parts.length !== 2) return whole;
  return page.locale === "en" ? parts[1] : parts[0];
}

// A sentence of the server's that belongs to no fault.
const sentence = (text) => faultText({ code: "", message: inLanguage(text) });

/** One sentence for a refusal that has no list of faults. */
export function refusalText(error) {
  if (!(error instanceof Refusal)) return String(error?.message ?? error);
  if (error.status === 0) return t("没有连上服务器，请稍后再试");
  if (error.status === 413) return t("文件太大，服务器不收");
  return sentence(error.problem?.detail || error.problem?.title || t("服务器没有完成这一步（{status}）", { status: error.status }));
}

/** Show a problem of an upload or a refusal; `actions` are buttons. */
export function showProblem(wrong, { columns = [], actions = [], lead = "" } = {}) {
  const box = part("problem");
  const problem = wrong instanceof Refusal ? (wrong.problem ?? {}) : (wrong ?? {});
  const faults = (problem.errors ?? []).map((fault) => ({ row: fault.row, column: fault.column, code: fault.code, message: fault.message }));
  const title = wrong instanceof Refusal && !wrong.problem ? refusalText(wrong) : inLanguage(problem.title);
  box.replaceChildren(element("h2", {}, lead || title));
  if (lead && title && title !== lead) box.append(element("p", {}, title));
  // With a list of faults the sentence only repeats it, and it is English.
  const detail = sentence(problem.detail);
  if (detail && detail !== title && !(isChinese && faults.length)) box.append(element("p", {}, detail));
  if (faults.length) box.append(faultList(faults, columns));
  if (actions.length) box.append(element("p", { class: "import-actions" }, ...actions));
  box.hidden = false;
  box.focus();
}

export function hideProblem() {
  part("problem").hidden = true;
}

/** Faults as a list, the first ones in full. */
export function faultList(faults, columns) {
  const list = element("ul", { class: "import-faults" });
  for (const fault of faults.slice(0, MOST)) {
    const place = faultPlace(fault, columns);
    const line = element("li");
    if (place) line.append(element("span", { class: "import-place" }, place), " ");
    line.append(element("span", {}, faultText(fault)));
    list.append(line);
  }
  if (faults.length > MOST) list.append(element("li", {}, t("另有{count}处", { count: faults.length - MOST })));
  return list;
}

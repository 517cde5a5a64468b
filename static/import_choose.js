// Step 1: choose a file and say what it is.

import { t } from "./page.js";
import { bytes, data, kindWord, part } from "./import_words.js";

const REMEMBERED = "huxian.import";
const EPSG = /^(?:epsg:)?\d{4,5}$/i;

/** Wire the form; `onSend` gets the fields of a complete one. */
export function wireChoose(onSend) {
  const form = part("choose");
  const state = { form, file: null, words: ["drop-title", "drop-note"].map((name) => [name, part(name).textContent]) };
  recall(form);
  fit(form);
  form.addEventListener("change", () => fit(form));
  form.elements.file.addEventListener("change", () => take(state, form.elements.file.files));
  wireDrop(part("drop"), (files) => take(state, files));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(state, onSend);
  });
  return { show: (isShown) => (form.hidden = !isShown), say: fault, forget: () => forgetFile(state) };
}

function wireDrop(drop, onFiles) {
  const mark = (isOver) => drop.classList.toggle("is-over", isOver);
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      mark(true);
    });
  }
  drop.addEventListener("dragleave", () => mark(false));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    onFiles(event.dataTransfer.files);
  });
  // A file that misses the zone must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
}

function take(state, files) {
  if (!files.length) return;
  state.file = files[0];
  part("drop-title").textContent = state.file.name;
  part("drop-note").textContent = t("{size}；点这里或拖入可以换一个", { size: bytes(state.file.size) });
  part("drop").classList.add("is-filled");
  fault(files.length > 1 ? t("一次导入一个文件；用了第一个") : sizeFault(state.file));
}

function forgetFile(state) {
  state.file = null;
  state.form.elements.file.value = "";
  for (const [name, text] of state.words) part(name).textContent = text;
  part("drop").classList.remove("is-filled");
}

function sizeFault(file) {
  if (data.most_bytes && file.size > data.most_bytes) {
    return t("文件有{size}，最多{most}；请分成几份", { size: bytes(file.size), most: bytes(data.most_bytes) });
  }
  return file.size === 0 ? t("文件是空的") : "";
}

function fit(form) {
  const hasPrecision = data.kinds_with_precision.includes(form.elements.kind.value);
  part("precision").hidden = !hasPrecision;
  part("epsg").hidden = form.elements.datum.value !== "metric";
}

function fault(text, field) {
  part("choose-fault").textContent = text;
  if (text && field) field.focus();
}

// The first thing that is missing, and where to mend it.
function missing(state) {
  const { kind, source, datum, epsg } = state.form.elements;
  if (!state.file) return [t("还没有选文件"), state.form.elements.file];
  if (sizeFault(state.file)) return [sizeFault(state.file), state.form.elements.file];
  if (!kind.value) return [t("还没有选文件里是什么"), kind];
  if (!source.value.trim()) return [t("还没有填谁发来的"), source];
  if (!datum.value) return [t("还没有选坐标系"), datum[0]];
  if (datum.value === "metric" && !EPSG.test(epsg.value.trim())) return [t("还没有填 EPSG 代码，例如 4547"), epsg];
  return null;
}

function send(state, onSend) {
  const wrong = missing(state);
  if (wrong) {
    fault(...wrong);
    return;
  }
  fault("");
  const { kind, source, datum, epsg, place_precision: precision } = state.form.elements;
  remember(state.form);
  onSend({
    kind: kind.value,
    source: source.value.trim(),
    datum: datum.value === "metric" ? epsg.value.trim().replace(/^epsg:/i, "") : datum.value,
    place_precision: data.kinds_with_precision.includes(kind.value) ? precision.value : "",
    file: state.file,
  });
}

// Who sent the last file and what it was; never its datum.
function remember(form) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify({ kind: form.elements.kind.value, source: form.elements.source.value.trim() }));
  } catch {
    // A browser that keeps nothing only makes the user type again.
  }
}

function recall(form) {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(REMEMBERED));
  } catch {
    return;
  }
  if (typeof kept?.source === "string") form.elements.source.value = kept.source;
  if (kindWord(kept?.kind) !== kept?.kind) form.elements.kind.value = kept.kind;
}

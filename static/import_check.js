// Step 2 and the button of step 3: the preview, its settings, the changes not yet checked, and the commit.

import { element, t } from "./page.js";
import { beginDraft, changeCount, changedFields, resetDraft, scalar, setScalar } from "./import_draft.js";
import { drawShapes } from "./import_map.js";
import { drawMapping } from "./import_mapping.js";
import { drawCounts, drawCoverage, drawDatumCheck, drawNotices, drawRows } from "./import_notes.js";
import { refusalText } from "./import_problem.js";
import { drawConflicts, drawRejected } from "./import_rejected.js";
import { changeUpload, commitUpload, dropUpload } from "./import_server.js";
import { count, data, datumWord, part, select } from "./import_words.js";

let upload = null;
let tell = null;
// What the last change replaced, so that a change after which nothing can be read is taken back.
let before = null;

/** Wire the buttons; `listeners`: onUpload(upload) after each answer, onDropped() when it was deleted. */
export function wireCheck(listeners) {
  tell = listeners;
  part("apply").addEventListener("click", apply);
  part("forget").addEventListener("click", () => {
    resetDraft();
    draw();
  });
  part("commit").addEventListener("click", () => act(() => commitUpload(upload.id)));
  part("discard").addEventListener("click", drop);
}

/** Show an upload that was read, or hide the step with null. */
export function showCheck(read) {
  upload = read;
  const box = part("check");
  box.hidden = !read?.preview;
  if (box.hidden) return;
  beginDraft(read, drawBar);
  draw();
}

/** Whether something was changed and not yet sent. */
export const hasChanges = () => !part("check").hidden && changeCount() > 0;

function draw() {
  const { preview } = upload;
  fault("");
  drawCounts(upload);
  drawDatumCheck(preview);
  drawShapes(preview);
  drawSettings();
  drawNotices(preview);
  drawCoverage(preview);
  drawRejected(upload, { onApply: apply, onSkipAll: () => act(() => changeUpload(upload.id, { ...changedFields(), skip_rejected: true })) });
  drawConflicts(upload);
  drawMapping(upload);
  drawRows(preview);
  drawBar();
}

function drawSettings() {
  const box = part("settings");
  const { preview, kind } = upload;
  const current = String(scalar("datum") ?? "").replace(/^epsg:/i, "");
  const datums = data.datums.map(({ code, label }) => [code, label]);
  if (!datums.some(([code]) => code === current)) datums.push([current, datumWord(current)]);
  box.replaceChildren(setting(t("坐标系"), "datum", datums, current));
  if (data.kinds_with_precision.includes(kind)) {
    const choices = [["", t("文件里写了")], ...data.precisions.map(({ code, label }) => [code, label])];
    box.append(setting(t("位置精度"), "place_precision", choices, scalar("place_precision")));
  }
  if (preview.layers?.length > 1) {
    box.append(setting(t("图层或工作表"), "layer", preview.layers.map((name) => [name, name]), scalar("layer") || preview.layers[0]));
  }
  if (scalar("skip_rejected")) {
    const skips = element("input", { type: "checkbox" });
    skips.checked = true;
    skips.addEventListener("change", () => setScalar("skip_rejected", skips.checked));
    box.append(element("label", { class: "check" }, skips, element("span", {}, t("跳过全部有误的行"))));
  }
}

function setting(label, name, choices, current) {
  const chooser = select(choices, current);
  chooser.addEventListener("change", () => setScalar(name, chooser.value));
  return element("label", {}, label, chooser);
}

// How many rows the commit would add, how many it leaves, and what stands in its way.
function outlook() {
  const { preview, settings, state } = upload;
  const { new_count: fresh = 0, known_count: known = 0, rejected_count: rejected, conflict_count: conflicts, skipped_count: skipped } = preview;
  const left = skipped + known + (settings.skip_rejected ? rejected : 0);
  if (changeCount()) return { fresh, left, why: t("有改动还没有重新检查") };
  if (rejected && !settings.skip_rejected) return { fresh, left, why: t("先改好或跳过有误的行") };
  if (conflicts) return { fresh, left, why: t("先跳过与已有记录不同的行") };
  if (state !== "ready") return { fresh, left, why: t("这个文件还不能导入") };
  if (!fresh) return { fresh, left, why: known ? t("每一行都已经在库里") : t("没有可以导入的行") };
  return { fresh, left, why: "" };
}

function drawBar() {
  if (!upload?.preview) return;
  const changes = changeCount();
  part("changes").hidden = !changes;
  part("changes-text").textContent = t("有{count}处改动", { count: changes });
  const { fresh, left, why } = outlook();
  const values = { fresh: count(fresh), left: count(left) };
  part("commit").textContent = left ? t("导入{fresh}行，跳过{left}行", values) : t("导入{fresh}行", values);
  part("commit").disabled = Boolean(why);
  part("commit-note").textContent = why;
}

function fault(text) {
  part("check-fault").textContent = text;
}

function apply() {
  const changes = changedFields();
  if (!changeCount()) return;
  before = { id: upload.id, changes: Object.fromEntries(Object.keys(changes).map((name) => [name, upload.settings[name] ?? null])) };
  act(() => changeUpload(upload.id, changes));
}

/** Take back the last change of an upload that cannot be read since; null when there was none. */
export function takeBack(id) {
  if (before?.id !== id) return null;
  const { changes } = before;
  return () => {
    before = null;
    return changeUpload(id, changes);
  };
}

async function act(request) {
  const box = part("check");
  box.inert = true;
  fault("");
  part("commit-note").textContent = t("正在处理…");
  let answer;
  try {
    answer = await request();
  } catch (error) {
    drawBar();
    fault(refusalText(error));
    tell.onRefused(error);
    return;
  } finally {
    box.inert = false;
  }
  tell.onUpload(answer);
}

async function drop() {
  fault("");
  try {
    await dropUpload(upload.id);
    tell.onDropped();
  } catch (error) {
    if (error.status === 404) tell.onDropped();
    else fault(refusalText(error));
  }
}

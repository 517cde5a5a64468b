// The files taken in so far, and the undoing of one of them.

import { element, t } from "./page.js";
import { refusalText } from "./import_problem.js";
import { readBatches, undoBatch } from "./import_server.js";
import { button, count, data, kindWord, moment, part, table } from "./import_words.js";

const PAGE = 20;
let batches = [];
let onUndone = () => {};

/** Draw the list and let its buttons work. */
export function wireBatches(listener) {
  onUndone = listener;
  batches = data.batches;
  draw(batches.length >= PAGE);
  part("batches-more").addEventListener("click", older);
  wireDialog();
}

/** Ask for the newest batches anew. */
export async function refreshBatches() {
  try {
    batches = (await readBatches()).batches;
    draw(batches.length >= PAGE);
  } catch (error) {
    part("batches-status").textContent = refusalText(error);
  }
}

async function older() {
  part("batches-more").disabled = true;
  part("batches-status").textContent = "";
  try {
    const found = (await readBatches(batches.at(-1).id)).batches;
    batches = [...batches, ...found];
    draw(found.length >= PAGE);
  } catch (error) {
    part("batches-status").textContent = refusalText(error);
  }
  part("batches-more").disabled = false;
}

function draw(hasOlder) {
  part("batches-empty").hidden = batches.length > 0;
  part("batches").hidden = batches.length === 0;
  part("batches-more").hidden = !hasOlder;
  if (!batches.length) return;
  const head = [t("批号"), t("文件"), t("是什么"), t("谁发来的"), t("行数"), t("何时"), ""];
  const drawn = table(head, batches.map(line), t("导入过的文件"));
  drawn.classList.add("import-batch-table", "import-cards");
  batches.forEach((batch, index) => drawn.tBodies[0].rows[index].classList.toggle("is-undone", Boolean(batch.undone_at)));
  part("batches").replaceChildren(drawn);
}

function line(batch) {
  const rows = batch.skipped_count ? t("{rows}（跳过{skipped}）", { rows: count(batch.row_count), skipped: count(batch.skipped_count) }) : count(batch.row_count);
  return [String(batch.id), batch.file_name, kindWord(batch.kind), batch.source, rows, moment(batch.created_at), lastCell(batch)];
}

// A campaign and the demo province are no files; nobody takes them back by a button.
function lastCell(batch) {
  if (batch.undone_at) return undone(batch);
  return ["campaign", "demo"].includes(batch.kind) ? "" : undoButton(batch);
}

function undone({ undone_at: at, undone_count: rows, undo_reason: reason }) {
  const words = t("{at}撤销，删去{count}行", { at: moment(at), count: count(rows) });
  return element("div", {}, element("span", {}, words), ...(reason ? [element("p", { class: "quiet" }, reason)] : []));
}

/** A button that asks for a reason and undoes a batch. */
export function undoButton(batch) {
  return button(t("撤销…"), () => openDialog(batch), { "aria-label": t("撤销第{id}批", { id: batch.id }) });
}

function openDialog(batch) {
  const dialog = part("undo");
  part("undo-title").textContent = t("撤销第{id}批", { id: batch.id });
  part("undo-text").textContent = t("「{file}」带来的{count}行会从库里删去。", { file: batch.file_name, count: count(batch.row_count) });
  part("undo-fault").textContent = "";
  part("undo-form").elements.reason.value = "";
  dialog.dataset.batch = batch.id;
  dialog.showModal();
}

function wireDialog() {
  const dialog = part("undo");
  part("undo-close").addEventListener("click", () => dialog.close());
  part("undo-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = event.target.elements.reason.value.trim();
    if (!reason) {
      part("undo-fault").textContent = t("请写一句原因");
      return;
    }
    part("undo-confirm").disabled = true;
    try {
      const batch = await undoBatch(dialog.dataset.batch, reason);
      dialog.close();
      await refreshBatches();
      onUndone(batch);
    } catch (error) {
      part("undo-fault").textContent = t("没有撤销：{reason}", { reason: refusalText(error) });
    } finally {
      part("undo-confirm").disabled = false;
    }
  });
}

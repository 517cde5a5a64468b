// Entry point of the import page: which step is shown, and the upload kept in the address.

import { element, keep, page, t } from "./page.js";
import { refreshBatches, undoButton, wireBatches } from "./import_batches.js";
import { hasChanges, showCheck, takeBack, wireCheck } from "./import_check.js";
import { wireChoose } from "./import_choose.js";
import { hideLive, showSending, showSent, showWork } from "./import_live.js";
import { hideProblem, refusalText, showProblem } from "./import_problem.js";
import { changeUpload, dropUpload, isLive, readUpload, sendFile } from "./import_server.js";
import { button, data, kindWord, moment, part } from "./import_words.js";

let choose = null;
let pending = data.uploads;

function step(name) {
  for (const item of part("steps").children) {
    if (item.dataset.step === name) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

function rememberUpload(id) {
  keep("upload", id);
  const other = document.querySelector("[data-other-language]");
  const target = new URL(other.href);
  if (id) target.searchParams.set("upload", id);
  else target.searchParams.delete("upload");
  other.href = target.href;
}

// Every part is hidden, then the one that fits is shown.
function clear() {
  hideProblem();
  hideLive();
  choose.show(false);
  showCheck(null);
  part("done").hidden = true;
  part("pending").hidden = true;
}

function startAnew() {
  clear();
  rememberUpload(null);
  step("choose");
  choose.show(true);
  drawPending();
}

async function send(fields) {
  clear();
  const sending = sendFile(fields, showSent);
  showSending(fields.file, () => sending.stop());
  let upload;
  try {
    upload = await sending.done;
  } catch (error) {
    startAnew();
    if (error.name === "AbortError") choose.say(t("已取消上传，什么也没有存"));
    else showProblem(error, { lead: t("文件没有收下") });
    return;
  }
  show(upload);
}

/** Show an upload in whatever state it is; one without an id is a file that was taken in before. */
function show(upload) {
  clear();
  rememberUpload(upload.id);
  pending = pending.filter(({ id }) => id !== upload.id);
  if (upload.state === "stored") {
    showDone(upload);
    return;
  }
  pending = [upload, ...pending];
  if (isLive(upload.state)) {
    step(upload.state === "storing" ? "store" : "check");
    showWork(upload, () => load(upload.id));
  } else if (upload.state === "cancelled" || upload.state === "failed") {
    showStopped(upload);
  } else {
    showRead(upload);
  }
}

function showStopped(upload) {
  step("check");
  const lead = upload.state === "cancelled" ? t("已取消，什么也没有存") : t("导入没有完成，什么也没有存");
  const again = button(t("重新核对"), () => attempt(() => changeUpload(upload.id, { datum: upload.settings.datum })), { class: "button" });
  showProblem(upload.problem, { lead, actions: [again, otherFile(upload.id)] });
}

function showRead(upload) {
  step("check");
  showCheck(upload);
  if (upload.problem) {
    const back = takeBack(upload.id);
    const actions = upload.preview ? [] : [...(back ? [button(t("撤回刚才的改动"), () => attempt(back), { class: "button" })] : []), otherFile(upload.id)];
    showProblem(upload.problem, { columns: upload.preview?.columns ?? [], actions, lead: t("「{file}」还不能导入", { file: upload.file_name }) });
  } else part("check").focus({ preventScroll: true });
}

const otherFile = (id) => button(t("换一个文件"), () => discard(id));

async function attempt(request) {
  let upload;
  try {
    upload = await request();
  } catch (error) {
    showProblem(error);
    return;
  }
  show(upload);
}

async function load(id) {
  let upload;
  try {
    upload = await readUpload(id);
  } catch (error) {
    clear();
    if (error.status === 404) {
      startAnew();
      showProblem(null, { lead: t("这次上传已经不在了，请重新选文件") });
    } else showProblem(error, { actions: [button(t("再试一次"), () => load(id))] });
    return;
  }
  show(upload);
}

async function discard(id) {
  try {
    await dropUpload(id);
  } catch (error) {
    if (error.status !== 404) {
      showProblem(error);
      return;
    }
  }
  pending = pending.filter((upload) => String(upload.id) !== String(id));
  choose.forget();
  startAnew();
}

function showDone(upload) {
  step("store");
  const box = part("done");
  const batch = upload.batch ?? { id: upload.batch_id, file_name: upload.file_name, row_count: upload.preview?.good_count ?? 0 };
  const title = upload.id ? t("已入库：第{id}批", { id: batch.id }) : t("这个文件以前导入过：第{id}批", { id: batch.id });
  const map = element("a", { class: "button", href: page.locale === "en" ? "/?lang=en" : "/" }, t("到地图上看"));
  const again = button(t("再导入一个文件"), () => {
    choose.forget();
    startAnew();
  });
  box.replaceChildren(element("h2", {}, title), element("p", {}, batch.file_name), element("p", { class: "import-actions" }, map, again, undoButton(batch)));
  box.hidden = false;
  box.focus({ preventScroll: true });
  refreshBatches();
}

function drawPending() {
  part("pending").hidden = pending.length === 0;
  const lines = pending.map((upload) => {
    const facts = [kindWord(upload.kind), upload.source, upload.created_at ? moment(upload.created_at) : ""].filter(Boolean).join(" · ");
    return element(
      "li",
      {},
      button(upload.file_name, () => load(upload.id), { class: "link" }),
      " ",
      element("span", { class: "quiet" }, facts),
      " ",
      button(t("删去"), () => discard(upload.id), { "aria-label": t("删去「{file}」", { file: upload.file_name }) }),
    );
  });
  part("pending-list").replaceChildren(...lines);
}

function undone(batch) {
  if (part("done").hidden && part("choose").hidden) return;
  choose.forget();
  startAnew();
  choose.say(t("第{id}批已撤销", { id: batch.id }));
}

function start() {
  choose = wireChoose(send);
  wireCheck({ onUpload: show, onDropped: () => discardShown(), onRefused: refused });
  wireBatches(undone);
  window.addEventListener("beforeunload", (event) => {
    if (hasChanges()) event.preventDefault();
  });
  const id = new URL(location.href).searchParams.get("upload");
  if (id) load(id);
  else startAnew();
  document.body.dataset.ready = "";
}

function discardShown() {
  const id = new URL(location.href).searchParams.get("upload");
  pending = pending.filter((upload) => String(upload.id) !== id);
  choose.forget();
  startAnew();
}

// Something else changed the upload meanwhile: show what it is now.
function refused(error) {
  const id = new URL(location.href).searchParams.get("upload");
  if ((error.status === 404 || error.status === 409) && id) {
    readUpload(id).then(
      (upload) => (upload.state === "ready" || upload.state === "refused" ? showProblem(error) : show(upload)),
      (other) => (other.status === 404 ? load(id) : showProblem(null, { lead: refusalText(other) })),
    );
  }
}

start();

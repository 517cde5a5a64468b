// The live bar: a file on its way, being read, or being stored; with cancel.

import { t } from "./page.js";
import { refusalText } from "./import_problem.js";
import { cancelUpload, follow } from "./import_server.js";
import { bytes, count, data, part } from "./import_words.js";

let stopFollowing = null;

/** Show the bar while a file is sent; `stop` ends the sending. */
export function showSending(file, stop) {
  open(file.name, stop);
  tell(t("正在上传…"), 0, 1);
}

/** Bytes sent so far. */
export function showSent(sent, total) {
  if (total > 0 && sent >= total) tell(t("已上传，等服务器读文件…"));
  else tell(t("已上传{sent}，共{total}", { sent: bytes(sent), total: bytes(total) }), sent, total);
}

/** Follow what the server does with an upload until it is done; then `onEnd`. */
export function showWork(upload, onEnd) {
  open(upload.file_name, () => cancel(upload.id));
  told(upload.state, upload.progress ?? {});
  stopFollowing = follow(upload.id, {
    onStep: (event) => told(event.state, event),
    onLost: () => tell(t("没有连上服务器，正在重试…")),
    onEnd: () => {
      stopFollowing = null;
      onEnd();
    },
  });
}

/** Take the bar away. */
export function hideLive() {
  stopFollowing?.();
  stopFollowing = null;
  part("live").hidden = true;
}

function open(name, stop) {
  stopFollowing?.();
  stopFollowing = null;
  part("live").hidden = false;
  part("live-file").textContent = name;
  const control = part("live-cancel");
  control.disabled = false;
  control.onclick = stop;
}

function told(state, { step, done, total }) {
  if (part("live-cancel").disabled) return;
  const named = Object.hasOwn(data.steps, step) ? data.steps[step] : null;
  const words = named ?? data.steps[state] ?? t("正在处理…");
  // Of a file nobody knows how many rows it has before it is read: its share says more.
  if (total > 0 && step === "reading") tell(t("{step}：{percent}%", { step: words, percent: Math.floor((100 * done) / total) }), done, total);
  else if (total > 0) tell(t("{step}：{done} / {total}", { step: words, done: count(done), total: count(total) }), done, total);
  else tell(words);
}

function tell(text, done = null, total = null) {
  part("live-status").textContent = text;
  const bar = part("live-bar");
  if (total > 0) bar.value = (100 * done) / total;
  else bar.removeAttribute("value");
}

async function cancel(id) {
  const control = part("live-cancel");
  control.disabled = true;
  tell(t("正在取消…"));
  try {
    await cancelUpload(id);
  } catch (error) {
    control.disabled = false;
    tell(refusalText(error));
  }
}

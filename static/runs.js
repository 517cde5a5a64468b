// Ask for the computation of this page's hotspots, watch it, cancel it.

import { page, sentenceOf, t } from "./page.js";

const LIVE = ["queued", "running"];

export function wireRun() {
  const box = document.querySelector("[data-run]");
  if (!box) return;
  const part = (name) => box.querySelector(`[data-run-${name}]`);
  const parts = { start: part("start"), live: part("live"), bar: box.querySelector("progress"), cancel: part("cancel"), status: part("status") };
  const { state, id, request } = page.run;
  if (LIVE.includes(state) && id) watch(parts, id);
  else if (state !== "done" && request) offer(parts);
  else return;
  parts.start.addEventListener("click", () => ask(parts, request));
  box.hidden = false;
}

function offer(parts) {
  parts.live.hidden = true;
  parts.start.hidden = false;
  parts.start.disabled = false;
}

async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  // What the server refuses it explains, in both languages; one that explains nothing is as good as none.
  const told = await answer.json().catch(() => ({}));
  if (answer.status >= 500 && !told.detail) throw new TypeError();
  throw new Error(sentenceOf(told.detail) || sentenceOf(told.title) || told.detail || String(answer.status));
}

async function ask(parts, request) {
  parts.start.disabled = true;
  parts.status.textContent = t("排队中…");
  try {
    const run = await post("/runs", request);
    if (run.state === "done") location.reload();
    else watch(parts, run.id);
  } catch (error) {
    fail(parts, error);
  }
}

// fetch() itself fails with a TypeError that says nothing to a user; everything else was told by the server.
function fail(parts, error) {
  offer(parts);
  parts.status.textContent = error instanceof TypeError ? t("没有连上服务器，请稍后再试") : t("计算没有完成：{reason}", { reason: error.message });
}

function watch(parts, id) {
  parts.start.hidden = true;
  parts.live.hidden = false;
  parts.cancel.disabled = false;
  parts.status.textContent = t("排队中…");
  const source = new EventSource(`/runs/${id}/events`);
  source.addEventListener("progress", (event) => told(parts, source, JSON.parse(event.data)));
  source.addEventListener("missing", () => {
    source.close();
    offer(parts);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CONNECTING) parts.status.textContent = t("没有连上服务器，正在重试…");
    if (source.readyState === EventSource.CLOSED) fail(parts, new TypeError());
  });
  parts.cancel.onclick = async () => {
    parts.cancel.disabled = true;
    parts.status.textContent = t("正在取消…");
    try {
      await post(`/runs/${id}/cancel`, {});
    } catch (error) {
      parts.cancel.disabled = false;
      parts.status.textContent = error instanceof TypeError ? t("没有连上服务器，请稍后再试") : error.message;
    }
  };
}

function told(parts, source, { done, total, state, error, reason, ahead }) {
  if (LIVE.includes(state)) {
    const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
    if (total > 0) parts.bar.value = percent;
    if (!parts.cancel.disabled) parts.status.textContent = state === "queued" ? waiting(ahead) : t("已算{percent}%", { percent });
    return;
  }
  source.close();
  if (state === "done") location.reload();
  else if (state === "cancelled" && LIVE.includes(page.run.state)) location.reload();
  else if (state === "cancelled") {
    offer(parts);
    parts.status.textContent = t("已取消");
  } else fail(parts, new Error(reason?.[page.locale] ?? error ?? state));
}

const waiting = (ahead) => (ahead ? t("排队中，前面还有{count}项计算", { count: ahead }) : t("排队中…"));

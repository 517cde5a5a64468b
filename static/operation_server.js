// Ask the server about an operation: every change says who acts, which version was seen, and carries a key of its own.

import { page, sentenceOf, t } from "./page.js";

/** Send a request; {status, body} where the server answered, {status: 0} where it was not reached. */
export async function ask(method, address, { body, etag, key, accept = "application/json" } = {}) {
  const headers = { Accept: accept, "Accept-Language": page.locale };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  if (key) headers["Idempotency-Key"] = key;
  try {
    const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: accept === "application/json" ? parsed(text) : text };
  } catch {
    return { status: 0, body: null };
  }
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

export const isDone = ({ status }) => status >= 200 && status < 300;
/** The server was not reached, or is not itself right now: the same request may succeed later. */
export const isAway = ({ status }) => status === 0 || status === 408 || status === 429 || status >= 500;

/** What was sent cannot be right, whenever it is sent: only other words help. */
export const isWrong = ({ status }) => [400, 413, 422].includes(status);

/** Say why a request was refused. */
export function refusal({ status, body }) {
  if (isAway({ status })) return t("没有连上服务器，请稍后再试");
  if (status === 412) return t("刚被别人改过，请看最新的再定");
  if (status === 409) return sentenceOf(body?.detail) || t("现在的状态不允许这样做");
  if (status === 404) return t("没有找到，可能已被去掉");
  return sentenceOf(body?.detail) || sentenceOf(body?.title) || t("没有记下，服务器没有说明原因");
}

/** A key for one press of a button; also where the page is not served over TLS. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Name a unit with its city, once. */
export const whoOf = ({ city, unit }) => (!city || unit.startsWith(city) ? unit : `${city} ${unit}`);

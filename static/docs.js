// Try an operation that only reads: build its address, show the command, fetch it, and show what came back.

import { t } from "./page.js";

const MOST_SHOWN = 20000;

/** The address that a form asks for; empty fields are left out. */
function addressOf(form) {
  let path = form.getAttribute("action");
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-place]")) {
    if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.dataset.place === "query" && field.value) query.append(field.name, field.value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

function sizeText(bytes) {
  return bytes < 10000 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`;
}

/** What came back, as people can read it; pictures and tiles are only named. */
async function bodyText(response) {
  const kind = response.headers.get("content-type") ?? "";
  const body = await response.arrayBuffer();
  const isText = /json|text|xml|javascript/.test(kind);
  let text = isText ? new TextDecoder().decode(body) : "";
  if (/json/.test(kind) && body.byteLength < 2000000) text = JSON.stringify(JSON.parse(text), null, 1);
  return { kind, size: body.byteLength, text };
}

async function ask(form) {
  const status = form.querySelector("[data-status]");
  const result = form.querySelector("[data-result]");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  status.textContent = t("正在取…");
  const begun = performance.now();
  try {
    const response = await fetch(addressOf(form), { headers: { accept: "application/json, */*;q=0.5" } });
    const { kind, size, text } = await bodyText(response);
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    status.textContent = [response.status, kind, sizeText(size), `${seconds} s`].filter(Boolean).join(" · ");
    result.hidden = !text;
    result.textContent = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n…` : text;
  } catch {
    status.textContent = t("没有连上服务器，请稍后再试");
    result.hidden = true;
  } finally {
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-try]")) {
  const curl = form.querySelector("[data-curl]");
  const copy = form.querySelector("[data-copy]");
  form.addEventListener("input", () => {
    curl.textContent = `curl "${location.origin}${addressOf(form)}"`;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
  if (!navigator.clipboard) continue;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(curl.textContent);
    form.querySelector("[data-status]").textContent = t("已复制");
  });
}

// An address with the name of an operation opens it.
function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", open);
open();

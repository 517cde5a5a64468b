// Follow what others change, come back after every break where it was, and take the page's parts anew.

import { ask, isDone } from "./operation_server.js";

const AGAIN_MS = 2000;
// The server sends a beat each ten seconds: a line that is silent for longer is none.
const SILENT_MS = 25000;

/** Follow an operation from a change on. `onChange` gets each change once and in order, `onLine` whether the line stands. */
export function follow(id, from, { onChange, onLine, onReset }) {
  let last = from;
  let source = null;
  let heard = Date.now();
  let timer = null;

  function open() {
    clearTimeout(timer);
    source?.close();
    heard = Date.now();
    source = new EventSource(`/operations/${id}/events?after=${last}`);
    source.addEventListener("ready", () => listened(true));
    source.addEventListener("beat", () => listened(true));
    source.addEventListener("reset", () => onReset());
    source.addEventListener("change", (event) => {
      listened(true);
      const change = JSON.parse(event.data);
      if (change.number <= last) return;
      last = change.number;
      onChange(change);
    });
    source.addEventListener("error", () => {
      onLine(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  }

  function listened(isThere) {
    heard = Date.now();
    onLine(isThere);
  }

  window.addEventListener("offline", () => onLine(false));
  window.addEventListener("online", open);
  setInterval(() => {
    if (Date.now() - heard < SILENT_MS) return;
    onLine(false);
    open();
  }, 5000);
  open();
}

/** Take the parts that others may have changed from a fresh copy of the page; the fresh copy, or null without one. */
export async function freshPage() {
  const answer = await ask("GET", location.href, { accept: "text/html" });
  if (!isDone(answer)) return null;
  // Without its head: the styles there belong to the policy of that other answer.
  const fresh = new DOMParser().parseFromString(answer.body.slice(answer.body.indexOf("<main")), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!other || other.isEqualNode(part)) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceChildren(...other.childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
  const form = document.querySelector("[data-change-form]");
  takeFields(form, fresh.querySelector("[data-change-form]"));
  return JSON.parse(fresh.getElementById("operation").textContent);
}

/** Let fields that nobody touched here say what others made of them: sending the form must not set that back. */
function takeFields(form, fresh) {
  for (const field of form?.elements ?? []) {
    const other = field.name && fresh?.elements[field.name];
    if (!other) continue;
    const isTouched = field.options ? [...field.options].some((each) => each.selected !== each.defaultSelected) : field.value !== field.defaultValue;
    if (field.options) [...field.options].forEach((each, row) => (each.defaultSelected = other.options[row].defaultSelected));
    else field.defaultValue = other.defaultValue;
    if (!isTouched) field.value = other.value;
  }
}

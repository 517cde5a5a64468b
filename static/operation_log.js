// The form of the log: what is written goes to the box; what the server refused comes back to be mended.

import { actor } from "./operation_actor.js";
import { isLate } from "./operation_outbox.js";
import { t } from "./page.js";

const form = document.querySelector("[data-log-form]");
const fault = form.querySelector("[data-log-fault]");
const { text, happened_at: happened } = form.elements;

/** Join form and box; `putBack` takes an entry that was refused, and the reason. */
export function openLog(box) {
  const returned = [];

  /** Show the next entry that came back, once the form is free; it is kept on this page only. */
  function offer() {
    if (text.value.trim()) {
      if (returned.length) fault.textContent = t("另有{count}条没有被接受，写完这条就放回来改", { count: returned.length });
      return;
    }
    const next = returned.shift();
    fault.textContent = next?.why ?? "";
    if (!next) return;
    text.value = next.item.text;
    happened.value = localMinute(next.item.happenedAt ?? (isLate(next.item) ? next.item.pressedAt : null));
    // Whoever writes something else meanwhile goes on writing.
    if (document.activeElement === document.body || form.contains(document.activeElement)) text.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = text.value.trim();
    const who = words ? actor() : null;
    if (!who) return;
    const happenedAt = happened.value ? `${happened.value}:00+08:00` : null;
    form.reset();
    // Kept without a line too: it waits in the box like a mark.
    box.add({ ...who, action: "entry", text: words, happenedAt, pressedAt: new Date().toISOString() });
    offer();
  });
  text.addEventListener("change", offer);

  return {
    putBack(item, why) {
      returned.push({ item, why });
      offer();
    },
  };
}

/** A moment as a field of date and time has it, in Chinese time. */
function localMinute(moment) {
  if (!moment) return "";
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(moment)).replace(" ", "T");
}

// What was drawn or written and is not with the server yet: kept in the browser, sent in order, conflicts told.

import { ask, isAway, isDone, isWrong, newKey, refusal } from "./operation_server.js";

const LATE_MS = 60000;

/** Whether an entry is sent so long after it was written that the moment of writing matters. */
export const isLate = ({ pressedAt }) => Boolean(pressedAt) && Date.now() - Date.parse(pressedAt) > LATE_MS;

/**
 * Make the box of one operation. `onSent` gets an item and the server's answer, `onReturned` an item that cannot be
 * right, which is out of the box then, and the reason; `onChange` is told of every change.
 */
export function openOutbox(id, { onSent, onReturned, onChange }) {
  const name = `huxian-outbox-${id}`;
  // What was refused when the page was last open is asked for again: its state may allow it now.
  let items = read(name).map((item) => (item.state === "refused" ? { ...item, state: "waiting" } : item));
  let isBusy = false;

  const save = () => {
    write(name, items);
    onChange();
  };

  const add = (item) => {
    items.push({ key: newKey(), state: "waiting", ...item });
    save();
    flush();
  };

  const drop = (key) => {
    // What was to happen to a point that never came to be goes with it.
    items = items.filter((item) => item.key !== key && item.ofKey !== key);
    save();
    flush();
  };

  /** Take a conflict as settled by sending it again, with another key, over what is there now. */
  const insist = (key) => {
    const item = items.find((each) => each.key === key);
    if (!item) return;
    const now = item.now;
    const again = { ...item, key: newKey(), state: "waiting", now: null };
    if (now?.is_removed && item.action === "change") Object.assign(again, { action: "create", markId: null, etag: null });
    else again.etag = now?.etag ?? item.etag;
    items = items.map((each) => (each.key === key ? again : each));
    if (now?.is_removed && item.action === "remove") items = items.filter((each) => each !== again);
    save();
    flush();
  };

  async function flush() {
    if (isBusy) return;
    isBusy = true;
    try {
      // One after the other: a change of a point must not come before the point.
      for (let item = next(); item; item = next()) {
        const answer = await sent(id, item);
        if (isAway(answer)) return;
        await settle(item, answer);
        save();
      }
    } finally {
      isBusy = false;
    }
  }

  const next = () => items.find((item) => item.state === "waiting" && !(item.ofKey && items.some((other) => other.key === item.ofKey)));

  async function settle(item, answer) {
    if (isDone(answer)) {
      items = items.filter((each) => each.key !== item.key);
      for (const later of items) {
        if (later.ofKey === item.key) Object.assign(later, { ofKey: null, markId: answer.body.id, etag: answer.body.etag });
        else if (item.markId && later.markId === item.markId && later.etag === item.etag) later.etag = answer.body.etag;
      }
      onSent(item, answer.body);
      return;
    }
    if (isWrong(answer)) {
      giveBack(item, refusal(answer));
      return;
    }
    item.state = "refused";
    item.why = refusal(answer);
    if (!item.markId || ![404, 409, 412].includes(answer.status)) return;
    const now = await ask("GET", `/operations/${id}/overlay/${item.markId}`);
    if (isDone(now) && now.body.etag !== item.etag) {
      item.state = "conflict";
      item.now = now.body;
      onSent(null, now.body);
    }
  }

  /** Take out what cannot be right, with what was to happen to it later: nothing of it stays in the browser. */
  function giveBack(item, why) {
    const later = items.filter((each) => each.ofKey === item.key);
    items = items.filter((each) => each !== item && !later.includes(each));
    write(name, items);
    const whole = { ...item };
    for (const { text, at } of later) Object.assign(whole, text === undefined ? {} : { text }, at ? { at } : {});
    if (!later.some((each) => each.action === "remove")) onReturned(whole, why);
  }

  return { add, drop, insist, flush, items: () => items };
}

function sent(id, item) {
  const { action, key, etag, markId, kind, text, at, city, unit } = item;
  const who = { city, unit };
  const place = at ? { longitude: at[1], latitude: at[0] } : {};
  const base = `/operations/${id}`;
  if (action === "entry") return sentEntry(`${base}/log`, item);
  if (action === "create") return ask("POST", `${base}/overlay`, { key, body: { ...who, kind, text, ...place } });
  if (action === "remove") return ask("POST", `${base}/overlay/${markId}/removal`, { key, etag, body: who });
  return ask("PATCH", `${base}/overlay/${markId}`, { key, etag, body: { ...who, text, ...place } });
}

/** Send an entry of the log; one that had to wait tells when it was written. */
async function sentEntry(address, item) {
  const { key, text, happenedAt, pressedAt, city, unit } = item;
  const plain = { city, unit, text };
  const body = happenedAt ? { ...plain, happened_at: happenedAt } : plain;
  if (happenedAt || !isLate(item)) return ask("POST", address, { key, body });
  const answer = await ask("POST", address, { key, body: { ...plain, happened_at: pressedAt } });
  // It may have arrived in the first minute, with only its answer lost: then its key stands for those words alone.
  return isWrong(answer) ? ask("POST", address, { key, body: plain }) : answer;
}

// A browser that keeps nothing still sends what it can, as long as the page is open.
function read(name) {
  try {
    const kept = JSON.parse(localStorage.getItem(name) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function write(name, items) {
  try {
    if (items.length) localStorage.setItem(name, JSON.stringify(items));
    else localStorage.removeItem(name);
  } catch {
    document.querySelector("[data-not-kept]").hidden = false;
  }
}

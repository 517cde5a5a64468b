// What was drawn or written and is not with the server yet: kept in the browser, sent in order, conflicts told.

import { ask, isAway, isDone, newKey, refusal } from "./operation_server.js";

/** Make the box of one operation. `onSent` gets an item and the server's answer, `onChange` is told of every change. */
export function openOutbox(id, { onSent, onChange }) {
  const name = `huxian-outbox-${id}`;
  let items = read(name);
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

  return { add, drop, insist, flush, items: () => items };
}

function sent(id, { action, key, etag, markId, kind, text, at, happenedAt, city, unit }) {
  const who = { city, unit };
  const place = at ? { longitude: at[1], latitude: at[0] } : {};
  const base = `/operations/${id}`;
  if (action === "entry") {
    const body = { ...who, text, ...(happenedAt ? { happened_at: happenedAt } : {}) };
    return ask("POST", `${base}/log`, { key, body });
  }
  if (action === "create") return ask("POST", `${base}/overlay`, { key, body: { ...who, kind, text, ...place } });
  if (action === "remove") return ask("POST", `${base}/overlay/${markId}/removal`, { key, etag, body: who });
  return ask("PATCH", `${base}/overlay/${markId}`, { key, etag, body: { ...who, text, ...place } });
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

// Draw on the overlay: what the server has, what waits in the box, and the panel in which a mark is written.

import { actor } from "./operation_actor.js";
import { newKey, whoOf } from "./operation_server.js";
import { element, t } from "./page.js";

const panel = document.querySelector("[data-mark-panel]");
const form = document.querySelector("[data-mark-form]");
const part = (name) => panel.querySelector(`[data-mark-${name}]`);

/** Join map and box: `picture` from operation_map.js, `operation` the block of the page. */
export function openMarks(picture, operation, box) {
  const known = new Map(operation.marks.map((mark) => [mark.id, mark]));
  const removed = new Map();
  let fresh = new Set();
  let canDraw = operation.can_draw;
  let current = null;
  const returned = [];

  /** What the server told of a mark; an older version than the one known says nothing new. */
  function told(mark, { isRemoved = false, isFresh = false } = {}) {
    const version = Math.max(known.get(mark.id)?.version ?? 0, removed.get(mark.id) ?? 0);
    if (mark.version < version || removed.has(mark.id)) return;
    if (isRemoved) {
      known.delete(mark.id);
      removed.set(mark.id, mark.version);
    } else {
      known.set(mark.id, mark);
      if (isFresh) {
        fresh.add(mark.id);
        setTimeout(() => {
          fresh.delete(mark.id);
          draw();
        }, 4000);
      }
    }
    draw();
  }

  /** The marks as this page shows them: what waits in the box lies over what the server has. */
  function shown() {
    const marks = new Map([...known].map(([id, mark]) => [id, { ...mark, who: `${whoOf(mark)} ${mark.changed_at}`, isNew: fresh.has(id) }]));
    for (const item of box.items()) {
      if (item.action === "entry") continue;
      const id = item.markId ?? `local-${item.ofKey ?? item.key}`;
      const before = marks.get(id);
      if (item.action === "remove") {
        if (item.state === "waiting") marks.delete(id);
        continue;
      }
      if (item.state === "conflict") continue;
      const at = item.at ?? before?.at;
      if (at) marks.set(id, { ...before, id, kind: item.kind, text: item.text ?? before?.text ?? "", at, who: item.unit, isPending: true, key: item.ofKey ?? item.key });
    }
    if (current?.id === null) marks.set("draft", { ...current, id: "draft", isPending: true });
    return [...marks.values()];
  }

  function draw() {
    picture?.setMarks(shown(), (mark) => holdsWords() || choose(mark));
  }

  function choose(mark) {
    current = mark;
    panel.hidden = false;
    part("kind").textContent = mark.kind === "stakeout" ? t("设伏点") : t("注记");
    part("who").textContent = mark.isPending ? t("还没有送到服务器") : mark.who;
    part("text").value = mark.text;
    part("place").textContent = mark.at.map((each) => each.toFixed(5)).join(", ");
    const isNew = mark.id === null;
    for (const name of ["move", "remove"]) part(name).hidden = isNew || !canDraw;
    part("save").hidden = !canDraw;
    part("text").readOnly = !canDraw;
    part("fault").textContent = "";
    part("remove").dataset.sure = "";
    part("remove").textContent = t("去掉");
    draw();
    part("text").focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  function close() {
    panel.hidden = true;
    current = null;
    draw();
    offer();
  }

  /** Take back a mark that the server refused; it is kept on this page only, until the panel is free. */
  function putBack(item, why) {
    returned.push({ item, why });
    offer();
  }

  function offer() {
    // Whoever draws something else goes on drawing.
    if (current || panel.dataset.placing || !returned.length) return;
    const { item, why } = returned.shift();
    const there = item.markId ? shown().find((mark) => mark.id === item.markId) : { id: null, kind: item.kind, text: "", who: "", key: newKey() };
    if (!there) return;
    const before = document.activeElement;
    choose({ ...there, text: item.text ?? there.text, at: item.markId ? there.at : item.at });
    part("fault").textContent = why;
    if (before?.matches("input, textarea, select")) before.focus({ preventScroll: true });
  }

  /** Let a place be chosen; what came back waits meanwhile. */
  function place(sentence, onPick) {
    panel.dataset.placing = "1";
    const end = () => delete panel.dataset.placing;
    picture.place(
      sentence,
      (at) => {
        end();
        onPick(at);
        offer();
      },
      () => {
        end();
        offer();
      },
    );
  }

  /** Tell whether words are typed that nobody has saved; the panel says so then. */
  function holdsWords() {
    const typed = part("text").value.trim();
    if (panel.hidden || !canDraw || !current || typed === current.text.trim()) return false;
    part("fault").textContent = t("先把这一处存下，或者关掉");
    part("text").focus();
    return true;
  }

  /** Begin a mark: first its place, then its words. */
  function begin(kind) {
    if (holdsWords()) return;
    panel.dataset.placing = "1";
    close();
    const sentence = kind === "stakeout" ? t("点一下设伏点的位置；或移动地图让十字对准，再按“放在这里”（键盘按回车）。") : t("点一下注记的位置；或移动地图让十字对准，再按“放在这里”（键盘按回车）。");
    place(sentence, (at) => choose({ id: null, kind, text: "", at, who: "", key: newKey() }));
  }

  function save() {
    if (current.kind === "note" && !part("text").value.trim()) {
      part("fault").textContent = t("注记要写字");
      part("text").focus();
      return;
    }
    const who = actor();
    if (!who) return;
    const text = part("text").value.trim();
    if (current.id === null) box.add({ ...who, action: "create", kind: current.kind, text, at: current.at, key: current.key });
    else box.add({ ...who, ...targetOf(current), action: "change", kind: current.kind, text });
    close();
  }

  /** What a change is about: a mark that the server knows, or one that waits before it. */
  function targetOf(mark) {
    if (typeof mark.id !== "number") return { markId: null, ofKey: mark.key, etag: null };
    return { markId: mark.id, ofKey: null, etag: known.get(mark.id)?.etag ?? mark.etag };
  }

  function move() {
    const mark = current;
    panel.dataset.placing = "1";
    close();
    place(t("点一下新的位置；或移动地图让十字对准，再按“放在这里”。"), (at) => {
      const who = actor();
      if (who) box.add({ ...who, ...targetOf(mark), action: "change", kind: mark.kind, text: mark.text, at });
    });
  }

  function remove() {
    const button = part("remove");
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      button.textContent = t("再按一次就去掉");
      return;
    }
    const who = actor();
    if (who) box.add({ ...who, ...targetOf(current), action: "remove", kind: current.kind });
    if (who) close();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  part("move").addEventListener("click", move);
  part("remove").addEventListener("click", remove);
  part("close").addEventListener("click", close);
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.disabled = !picture;
    button.addEventListener("click", () => begin(button.dataset.tool));
  }
  draw();
  return {
    told,
    draw,
    putBack,
    allow: (isAllowed) => (canDraw = isAllowed),
    choose: (id) => {
      const mark = shown().find((each) => each.id === id);
      if (!mark || holdsWords()) return;
      picture?.showMark(id);
      choose(mark);
    },
    /** Take all anew, as a fresh copy of the page has it. */
    reset: (marks) => {
      known.clear();
      removed.clear();
      fresh = new Set();
      marks.forEach((mark) => known.set(mark.id, mark));
      draw();
    },
  };
}

/** Say what waits in the box and what was refused, with the ways out. */
export function tellBox(place, items, { drop, insist }) {
  place.hidden = !items.length;
  const list = place.querySelector("[data-outbox-list]");
  list.replaceChildren(
    ...items.map((item) => {
      const row = element("li", { class: `is-${item.state}` }, `${nameOf(item)} ${item.text ?? ""}`.trim(), " ", element("strong", {}, stateOf(item)));
      if (item.state === "waiting") return row;
      if (item.state === "conflict") row.append(" ", button(item.now?.is_removed && item.action === "change" ? t("照我的重新标上") : t("用我的"), () => insist(item.key)));
      row.append(" ", button(item.state === "conflict" ? t("用对方的") : t("丢掉"), () => drop(item.key)));
      return row;
    }),
  );
}

function button(words, act) {
  const made = element("button", { type: "button" }, words);
  made.addEventListener("click", act);
  return made;
}

function nameOf({ action, kind }) {
  if (action === "entry") return t("日志：");
  return kind === "stakeout" ? t("设伏点：") : t("注记：");
}

function stateOf(item) {
  if (item.state === "waiting") return t("等连上后发送");
  if (item.state === "refused") return item.why;
  const last = item.now.versions.at(-1);
  const values = { who: whoOf(last), text: last.text };
  if (item.now.is_removed) return t("没有存上：这一处已被{who}去掉", values);
  return t("没有存上：{who}已经改成“{text}”", values);
}

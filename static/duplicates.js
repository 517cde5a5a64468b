// Decide about pairs: send what was seen, tell what became of it, and offer to take it back.

import { drawWhenSeen } from "./duplicates_map.js";
import { element, page, t } from "./page.js";

const OFFICE = "huxian-office";
const TOLD = "huxian-duplicates-told";
const office = document.querySelector("[data-office]");
const told = document.querySelector("[data-told]");

// A browser that keeps nothing still lets people decide.
function kept(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // Nothing to do: the field stays as it is until the page is left.
  }
}

function sentenceOf(decision, side) {
  if (decision === "merged") return side === "left" ? t("已合并，保留左边这起") : t("已合并，保留右边这起");
  return decision === "kept" ? t("已记为两起") : t("已恢复为待定");
}

function faultOf(status) {
  if (status === 412 || status === 404) return t("这一对刚被别人处理过，请看最新的再定");
  if (status === 409) return t("其中一起已经并入别的案件或已作废，请看最新的再定");
  if (status === 422) return t("没有记下：只写单位（局、所、队、公司），不写个人姓名、电话、证件号或车牌");
  return t("没有连上服务器，请稍后再试");
}

/** Send a decision about a pair as it was seen; the answer, or the status of the refusal (0 without one). */
async function send({ pair, etag, state, decision, keptId = null, note = "" }) {
  const body = { decision, state, decided_by: office.value.trim(), note };
  if (keptId) body.kept_incident_id = Number(keptId);
  try {
    const answer = await fetch(`/duplicates/pairs/${pair}/decisions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "If-Match": etag, "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(body),
    });
    return answer.ok ? { made: await answer.json() } : { status: answer.status };
  } catch {
    return { status: 0 };
  }
}

function say(place, sentence, { fresh = false } = {}) {
  place.replaceChildren(sentence);
  if (!fresh) return;
  const link = element("a", { href: location.href }, t("看最新的"));
  place.append(" ", link);
}

async function decide(form, button) {
  const holder = form.closest("[data-pair]");
  const fault = form.querySelector("[data-fault]");
  if (!office.value.trim()) {
    say(fault, t("先填单位名称"));
    office.setAttribute("aria-invalid", "true");
    office.focus();
    return;
  }
  const wish = {
    pair: holder.dataset.pair,
    etag: holder.dataset.etag,
    state: holder.dataset.state,
    decision: button.value,
    keptId: button.dataset.kept,
    note: form.elements.note?.value.trim() ?? "",
  };
  const buttons = [...form.querySelectorAll("button:not(:disabled)")];
  buttons.forEach((each) => (each.disabled = true));
  say(fault, t("正在记下…"));
  const { made, status } = await send(wish);
  if (made) {
    remember(made, wish.decision, button.dataset.side);
    location.reload();
    return;
  }
  buttons.forEach((each) => (each.disabled = false));
  say(fault, faultOf(status), { fresh: [404, 409, 412].includes(status) });
  if (status === 422) office.setAttribute("aria-invalid", "true");
  button.focus();
}

function remember(made, decision, side) {
  const sentence = sentenceOf(decision, side);
  keep(TOLD, JSON.stringify({ sentence, pair: made.id, etag: made.etag, state: made.state, decision }));
}

/** Tell what the decision before this page did, with a way back. */
function tellLast() {
  const last = JSON.parse(kept(TOLD) ?? "null");
  keep(TOLD, null);
  if (!last) return;
  told.hidden = false;
  told.replaceChildren(element("strong", {}, last.sentence));
  if (last.decision !== "reopened") {
    const button = element("button", { type: "button" }, t("撤回"));
    button.addEventListener("click", async () => {
      button.disabled = true;
      const { made, status } = await send({ pair: last.pair, etag: last.etag, state: last.state, decision: "reopened" });
      if (made) {
        remember(made, "reopened");
        location.reload();
        return;
      }
      told.append(element("span", { class: "duplicate-fault" }, faultOf(status)));
    });
    told.append(" ", button);
  }
  // The next pair has moved up to where the eyes are.
  told.focus({ preventScroll: true });
}

office.value = kept(OFFICE) ?? "";
office.addEventListener("input", () => {
  office.removeAttribute("aria-invalid");
  keep(OFFICE, office.value);
});
for (const form of document.querySelectorAll("[data-form]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter) decide(form, event.submitter);
  });
  // Enter in the note must not choose one of three answers.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.name === "note") event.preventDefault();
  });
}
const other = document.querySelector("[data-other-language]");
if (other) {
  const address = new URL(location.href);
  address.searchParams.set("lang", page.locale === "zh" ? "en" : "zh");
  other.href = address.href;
}
tellLast();
drawWhenSeen(document.querySelectorAll("[data-map]"));
document.body.dataset.ready = "";

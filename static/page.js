// What the server handed over, the words of the page's language, and the state kept in the address.

const read = (id) => JSON.parse(document.getElementById(id).textContent);

export const page = read("page-data");
export const outlines = new Map(Object.entries(read("outlines")));
export const readBlock = read;

/** A sentence in the language of the page, with its {values} filled in. */
export function t(sentence, values = {}) {
  const text = Object.hasOwn(page.texts, sentence) ? page.texts[sentence] : sentence;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

const HAN = /\p{Script=Han}/u;

/** A sentence of the server's in the page's language, or nothing; it writes some in both, "中文 / English". */
export function sentenceOf(told) {
  const whole = String(told ?? "");
  const cut = whole.indexOf(" / ");
  const halves = [whole.slice(0, cut), whole.slice(cut + 3)];
  const isBoth = cut > 0 && HAN.test(halves[0]);
  if (page.locale === "en") return isBoth ? halves[1] : whole;
  const said = isBoth ? halves[0] : whole;
  return HAN.test(said) ? said : "";
}

/** The label of a catalogue's code; a code that no catalogue knows stands for itself. */
export function word(kind, code) {
  const words = page.words[kind];
  return Object.hasOwn(words, code) ? words[code] : code;
}

/** A colour of layers/theme.py. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** An element; strings become text, never markup. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.map((child) => (child instanceof Node ? child : isolated(child))));
  return made;
}

// Names from outside may hold signs that turn the direction of writing; they must not turn ours.
function isolated(text) {
  const made = document.createElement("bdi");
  made.textContent = text;
  return made;
}

/** A title, a sentence to read aloud, and a list of facts; facts without a value are left out. */
export function card(title, facts, remarks = [], sentence = "") {
  const list = element("dl");
  for (const [label, value] of facts) {
    if (value) list.append(element("dt", {}, label), element("dd", {}, String(value)));
  }
  const notes = remarks.filter(Boolean).map((remark) => element("p", { class: "remark" }, remark));
  return element("div", { class: "card-small" }, element("h3", {}, title), ...(sentence ? [element("p", { class: "aloud" }, sentence)] : []), list, ...notes);
}

/** A length as people say it. */
export function lengthText(metres) {
  if (metres < 1000) return page.locale === "zh" ? `${Math.round(metres)}米` : `${Math.round(metres)} m`;
  const kilometres = metres < 10000 && metres % 1000 ? (metres / 1000).toFixed(1) : Math.round(metres / 1000);
  return page.locale === "zh" ? `${kilometres}公里` : `${kilometres} km`;
}

/** Points packed by layers/payload.py: differences in 1/10,000 degree, longitude first. */
export function unpacked(flat) {
  const points = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i < flat.length; i += 2) {
    x += flat[i];
    y += flat[i + 1];
    points.push([y / 10000, x / 10000]);
  }
  return points;
}

/** Keep one parameter in the address, in the form and in the links, so that nothing forgets it. */
export function keep(name, value) {
  const url = new URL(location.href);
  setParameter(url, name, value);
  history.replaceState(history.state, "", url);
  const field = document.querySelector(`.filters input[type=hidden][name="${name}"]`);
  if (field) {
    field.value = value;
    field.disabled = !value;
  }
  for (const link of document.querySelectorAll("a[data-keep], a[data-other-language]")) {
    if (link.dataset.keep && !link.dataset.keep.split(" ").includes(name)) continue;
    const target = new URL(link.href);
    setParameter(target, name, value);
    link.href = target.href;
  }
}

function setParameter(url, name, value) {
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
}

// Who acts: chosen on the page and, once the server accepted it, kept in its address, for there is no login yet.

import { remember, remembered } from "./operation_remembered.js";
import { keep, page } from "./page.js";

const city = document.querySelector("[data-actor-city]");
const unit = document.querySelector("[data-actor-unit]");
const told = document.querySelector("[data-actor-told]");
const listeners = [];
const known = new Set();

/** Who acts, or null after asking for what is missing. */
export function actor() {
  const given = { city: Number(city.value), unit: unit.value.trim() };
  const missing = !given.city ? city : !given.unit ? unit : null;
  if (!missing) return given;
  missing.setAttribute("aria-invalid", "true");
  told.hidden = false;
  missing.focus();
  return null;
}

export const actingCity = () => Number(city.value) || null;

/** Be told when somebody else acts. */
export function onActor(listener) {
  listeners.push(listener);
}

function taken() {
  for (const field of [city, unit]) field.removeAttribute("aria-invalid");
  told.hidden = true;
  keep("city", city.value);
  // The name of a unit may turn out to be that of a person: it is kept once the server has taken it.
  keep("unit", known.has(unit.value.trim()) ? unit.value.trim() : "");
  wireLanguage();
  listeners.forEach((listener) => listener());
}

/** Keep who acted, in the address and in this browser: the server has accepted it. */
export function accepted({ city: id, unit: name }) {
  known.add(name);
  const chosen = [...city.options].find((option) => Number(option.value) === id);
  if (chosen) remember({ id, city: chosen.textContent, unit: name });
  if (actingCity() !== id || unit.value.trim() !== name) return;
  keep("unit", name);
  wireLanguage();
}

/** Forget a unit that came with what the server refused, unless it took that name before. */
export function refused({ unit: name }) {
  if (known.has(name) || new URL(location.href).searchParams.get("unit") !== name) return;
  keep("unit", "");
  wireLanguage();
}

/** Let the link to the other language lead to this very page. */
export function wireLanguage() {
  const other = document.querySelector("[data-other-language]");
  const address = new URL(location.href);
  address.searchParams.set("lang", page.locale === "zh" ? "en" : "zh");
  other.href = address.href;
}

city.addEventListener("change", () => {
  // Most units speak for their city; a name that was typed stays.
  const name = city.selectedOptions[0]?.dataset.unit ?? "";
  const names = [...city.options].map((option) => option.dataset.unit);
  if (!unit.value.trim() || names.includes(unit.value.trim())) unit.value = name;
  taken();
});
unit.addEventListener("input", taken);

// An address that names the city alone: its unit is the one of last time, else the one that speaks for it.
if (city.value && !unit.value) {
  const last = remembered();
  const option = city.selectedOptions[0];
  unit.value = last?.id === actingCity() && last.city === option.textContent ? last.unit : option.dataset.unit;
}

// Who acts: chosen on the page and kept in its address, for there is no login yet.

import { keep, page } from "./page.js";

const city = document.querySelector("[data-actor-city]");
const unit = document.querySelector("[data-actor-unit]");
const told = document.querySelector("[data-actor-told]");
const listeners = [];

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
  keep("unit", unit.value.trim());
  wireLanguage();
  listeners.forEach((listener) => listener());
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

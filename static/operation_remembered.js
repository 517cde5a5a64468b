// Who acted last from this browser, as the server accepted it: a city and a unit, nothing else.

const NAME = "huxian-actor";

/** {id, city, unit} of who acted last, or null. */
export function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME));
    return kept && typeof kept.unit === "string" && Number.isInteger(kept.id) ? kept : null;
  } catch {
    return null;
  }
}

/** Keep who acts; `city` is the name, so that another data set with the same number is not taken for it. */
export function remember({ id, city, unit }) {
  try {
    localStorage.setItem(NAME, JSON.stringify({ id, city, unit }));
  } catch {
    // A browser that keeps nothing asks again next time; the address still says who acts.
  }
}

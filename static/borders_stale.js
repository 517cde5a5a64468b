// What the panel says must be true of what the form asks: a changed form makes it old, a running computation makes it early.

/** Tell that the result is not that of the form any more, as long as a field differs from what the page shows. */
export function tellStale() {
  const form = document.querySelector("[data-border-form]");
  const { pair, start, end, depth_m: depth, step_m: step } = form.elements;
  const values = () => [pair, start, end, depth, step].map((field) => field.value).join("|");
  const shown = values();
  const told = () => {
    const isStale = values() !== shown;
    document.querySelector("[data-stale]").hidden = !isStale;
    document.querySelector(".borders").classList.toggle("is-stale", isStale);
  };
  form.addEventListener("input", told);
  form.addEventListener("change", told);
  window.addEventListener("pageshow", told);
}

/** Say that the sides are being compared while they are, and not that they never were. */
export function tellComparing() {
  const live = document.querySelector("[data-run-live]");
  const headline = document.getElementById("headline");
  const sentences = document.querySelectorAll("[data-idle]");
  const words = headline.textContent;
  const told = () => {
    headline.textContent = live.hidden ? words : headline.dataset.busy;
    for (const sentence of sentences) sentence.hidden = !live.hidden;
  };
  new MutationObserver(told).observe(live, { attributes: true, attributeFilter: ["hidden"] });
  told();
}

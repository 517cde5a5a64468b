// A map on paper: as large as the sheet has room for, and whole; afterwards the screen is as it was.

/** Fit a map to the sheet while the page is printed. `bounds` is asked for what must be seen; `quietly` does it unnoticed. */
export function fitToPaper(map, bounds, quietly = (action) => action()) {
  let before = null;
  window.addEventListener("beforeprint", () => {
    if (before) return;
    before = { center: map.getCenter(), zoom: map.getZoom() };
    document.body.classList.add("on-paper");
    quietly(() => {
      map.invalidateSize({ animate: false });
      map.fitBounds(bounds(), { animate: false });
    });
  });
  window.addEventListener("afterprint", () => {
    if (!before) return;
    document.body.classList.remove("on-paper");
    quietly(() => {
      map.invalidateSize({ animate: false });
      map.setView(before.center, before.zoom, { animate: false });
    });
    before = null;
  });
}

/** Let the button print; without scripts it is not there. */
export function wirePaper() {
  const button = document.querySelector("[data-print]");
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// The panel beside the map: dates that agree, rows that lead to their place, and paper.

import { element, outlines, page, readBlock, t } from "./page.js";
import { layersOf, maps, quietly, switchOn } from "./maps.js";

export function wireForm() {
  const form = document.querySelector(".filters");
  if (!form) return;
  const error = form.querySelector(".form-error");
  const { start, end, area } = form.elements;
  const say = (text) => {
    error.textContent = text;
    error.hidden = !text;
  };
  form.addEventListener("submit", (event) => {
    let text = "";
    if (!start.value !== !end.value) text = t("开始和结束日期要么都填，要么都不填");
    else if (start.value > end.value) text = t("结束日期早于开始日期");
    say(text);
    if (text) event.preventDefault();
    else for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
  form.addEventListener("change", () => say(""));
  const settle = wireParameters(form);
  // Another area wants another view; the kept one would look past it.
  area?.addEventListener("change", () => (form.elements.view.disabled = true));
  // Fields that were left out of the address must be there again when the user comes back, as the page shows them.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) form.reset();
    for (const field of form.elements) field.disabled = field.type === "hidden" && !field.value;
    settle();
  });
}

// Parameters belong to one analysis: those of the last one are not sent on with another.
function wireParameters(form) {
  const fields = form.querySelector("[data-parameters]");
  if (!fields) return () => {};
  const settle = () => {
    const isStale = form.elements.kind.value !== fields.dataset.parameters;
    for (const field of fields.querySelectorAll("input, select")) field.disabled = isStale;
    fields.querySelector("[data-stale]").hidden = !isStale;
  };
  form.elements.kind.addEventListener("change", settle);
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    for (const field of fields.querySelectorAll("input, select")) if (isDefault(field)) field.disabled = true;
  });
  // A figure that cannot be must be seen when the browser complains of it.
  fields.addEventListener("invalid", () => (fields.closest("details").open = true), true);
  return settle;
}

const isDefault = (field) => field.value === field.dataset.default;

/** What lies over the map when opened goes away by itself. */
export function wirePresets() {
  for (const presets of document.querySelectorAll(".presets")) {
    document.addEventListener("click", ({ target }) => {
      if (!presets.contains(target)) presets.open = false;
    });
    presets.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !presets.contains(relatedTarget)) presets.open = false;
    });
    presets.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      presets.open = false;
      presets.querySelector("summary").focus();
    });
  }
}

/** Turn a cell's text into a button that leads to its place on the map. */
function lead(cell, action) {
  const button = element("button", { type: "button", class: "link", title: t("在图上看") });
  button.append(...cell.childNodes);
  cell.append(button);
  button.addEventListener("click", action);
}

function showShape(key, isWanted) {
  if (!maps.length) return;
  switchOn(key);
  const [entry] = layersOf(key);
  const shape = entry?.layer.getLayers().find(isWanted);
  if (!shape) return;
  const map = entry.map;
  const bounds = shape.getBounds ? shape.getBounds() : L.latLngBounds([shape.getLatLng()]);
  map.fitBounds(bounds, { padding: [40, 40], maxZoom: 13, animate: false });
  shape.openPopup();
  map.getContainer().focus({ preventScroll: false });
}

export function wireTables() {
  for (const table of document.querySelectorAll("[data-clusters]")) {
    for (const row of table.querySelectorAll("tbody tr")) {
      const number = Number(row.dataset.number);
      lead(row.querySelector("th"), () => showShape(table.dataset.clusters, (shape) => shape.number === number));
    }
  }
  // Rows of findings that are drawn lead to their place; the number stands in the first cell.
  if (document.getElementById("findings_0")) {
    const drawn = new Set(readBlock("findings_0").map((each) => each.number));
    for (const row of document.querySelectorAll("[data-findings] tbody tr")) {
      const number = Number(row.cells[0].textContent);
      if (drawn.has(number)) lead(row.cells[1], () => showShape("findings", (shape) => shape.number === number));
    }
  }
  const counts = ["cities", "counties"].filter((key) => document.getElementById(`${key}_0`)).map((key) => [key, readBlock(`${key}_0`).counts]);
  for (const row of document.querySelectorAll("tr[data-area]")) {
    const id = row.dataset.area;
    const [key] = counts.find(([, known]) => Object.hasOwn(known, id)) ?? [];
    if (key && outlines.get(id)?.outline) lead(row.querySelector("th"), () => showShape(key, (shape) => shape.areaId === id));
  }
}

export function wirePrint() {
  const button = document.querySelector("[data-print]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => window.print());
  const paper = matchMedia("print");
  // What was seen last on the screen: the map measures itself anew before anybody says that it is to be printed.
  const seen = maps.map(viewOf);
  maps.forEach((map, i) => map.on("moveend", () => paper.matches || onPaper() || (seen[i] = viewOf(map))));
  const onPaper = () => document.body.classList.contains("on-paper");
  const toPaper = () => {
    if (onPaper()) return;
    document.body.classList.add("on-paper");
    quietly(() => maps.forEach((map, i) => showOnPaper(map, seen[i].bounds)));
  };
  const toScreen = () => {
    if (!onPaper()) return;
    const kept = [...seen];
    document.body.classList.remove("on-paper");
    quietly(() => {
      maps.forEach((map, i) => {
        map.invalidateSize({ animate: false });
        map.setView(kept[i].centre, kept[i].zoom, { animate: false });
      });
    });
  };
  window.addEventListener("beforeprint", toPaper);
  window.addEventListener("afterprint", toScreen);
  paper.addEventListener("change", ({ matches }) => (matches ? toPaper() : toScreen()));
}

const viewOf = (map) => ({ bounds: map.getBounds(), centre: map.getCenter(), zoom: map.getZoom() });

function showOnPaper(map, bounds) {
  map.invalidateSize({ animate: false });
  // Who saw everything wants everything on paper too, and as large as paper allows.
  map.fitBounds(bounds.contains(page.home) ? page.home : bounds, { animate: false });
}

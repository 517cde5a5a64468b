// Entry of the map page: the calls that layers/basemap.py writes, and the wiring of the panel.

import { addLayer, addMap, wireMaps } from "./maps.js";
import { wireForm, wirePresets, wirePrint, wireTables } from "./panel.js";
import { wireRun } from "./runs.js";
import "./areas.js";
import "./incidents.js";
import "./overlays.js";

export { addLayer, addMap };

/** Called when every map and layer of the page has been named. */
export function start() {
  wireMaps();
  wireForm();
  wirePresets();
  wireTables();
  wirePrint();
  wireRun();
  document.body.dataset.ready = String(Math.round(performance.now()));
}

// Changes that the user has made to an upload and not yet sent: mapping, mended cells, skipped rows, settings.

const SCALARS = ["datum", "place_precision", "layer", "skip_rejected"];

let base = null;
let draft = null;
let effective = {};
let onChange = () => {};

/** Start from what the server knows; `listener` is called after each change. */
export function beginDraft(upload, listener) {
  const settings = upload.settings ?? {};
  base = {
    ...Object.fromEntries(SCALARS.map((name) => [name, settings[name] ?? (name === "skip_rejected" ? false : "")])),
    mapping: { ...settings.mapping },
    fill_down: [...(settings.fill_down ?? [])],
    corrections: structuredClone(settings.corrections ?? {}),
    skipped_rows: [...(settings.skipped_rows ?? [])],
  };
  effective = upload.preview?.mapping ?? {};
  onChange = listener;
  resetDraft();
}

/** Forget what was changed. */
export function resetDraft() {
  draft = structuredClone(base);
  onChange();
}

export function setScalar(name, value) {
  draft[name] = value;
  onChange();
}

export const scalar = (name) => draft[name];

/** Say what a header word means; "" leaves the column out. */
export function mapHeader(header, column) {
  if (column === (effective[header] ?? "") && !Object.hasOwn(base.mapping, header)) delete draft.mapping[header];
  else set(draft.mapping, header, column);
  onChange();
}

export const mappedTo = (header) => (Object.hasOwn(draft.mapping, header) ? draft.mapping[header] : (effective[header] ?? ""));

export function fillDown(header, isFilled) {
  draft.fill_down = draft.fill_down.filter((word) => word !== header);
  if (isFilled) draft.fill_down.push(header);
  onChange();
}

export const isFilledDown = (header) => draft.fill_down.includes(header);

/** Take a cell's new text; the text of the file itself takes the correction back. */
export function correct(row, header, text, original) {
  const key = String(row);
  const cells = { ...draft.corrections[key] };
  if (text === original && !Object.hasOwn(base.corrections[key] ?? {}, header)) delete cells[header];
  else set(cells, header, text);
  if (Object.keys(cells).length) draft.corrections[key] = cells;
  else delete draft.corrections[key];
  onChange();
}

export const correction = (row, header) => {
  const cells = draft.corrections[String(row)];
  return cells && Object.hasOwn(cells, header) ? cells[header] : undefined;
};

export function skip(rows, isSkipped) {
  const skipped = new Set(draft.skipped_rows);
  for (const row of rows) {
    if (isSkipped) skipped.add(row);
    else skipped.delete(row);
  }
  draft.skipped_rows = [...skipped].sort((one, other) => one - other);
  onChange();
}

export const isSkipped = (row) => draft.skipped_rows.includes(row);

/** How many things differ from what the server knows. */
export function changeCount() {
  const scalars = SCALARS.filter((name) => draft[name] !== base[name]).length;
  const cells = differences(flat(base.corrections), flat(draft.corrections));
  return scalars + differences(base.mapping, draft.mapping) + cells + apart(base.fill_down, draft.fill_down) + apart(base.skipped_rows, draft.skipped_rows);
}

/** What to send: each field that differs, as a whole; a setting that was cleared is null. */
export function changedFields() {
  const fields = Object.keys(base).filter((name) => JSON.stringify(base[name]) !== JSON.stringify(draft[name]));
  return Object.fromEntries(fields.map((name) => [name, draft[name] === "" ? null : draft[name]]));
}

// A header word may be any text, also __proto__.
function set(record, key, value) {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}

function flat(corrections) {
  const cells = {};
  for (const [row, words] of Object.entries(corrections)) {
    for (const [header, text] of Object.entries(words)) set(cells, `${row} ${header}`, text);
  }
  return cells;
}

function differences(one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => !Object.hasOwn(one, name) || !Object.hasOwn(other, name) || one[name] !== other[name]).length;
}

const apart = (one, other) => one.filter((item) => !other.includes(item)).length + other.filter((item) => !one.includes(item)).length;

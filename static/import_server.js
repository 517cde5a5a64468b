// Ask the server: send a file with progress, read and change an upload, follow its progress.

/** What the server refused, or that it was not reached: `problem` is null then. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? "");
    this.status = status;
    this.problem = problem;
  }
}

const address = (id, rest = "") => `/imports/${encodeURIComponent(id)}${rest}`;

export const readUpload = (id) => ask("GET", address(id));
export const changeUpload = (id, changes) => ask("PATCH", address(id), changes);
export const commitUpload = (id) => ask("POST", address(id, "/commit"), {});
export const cancelUpload = (id) => ask("POST", address(id, "/cancel"), {});
export const dropUpload = (id) => ask("DELETE", address(id));
export const rejectedAddress = (id) => address(id, "/rejected.csv");
export const undoBatch = (id, reason) => ask("POST", `/batches/${encodeURIComponent(id)}/undo`, { reason });
export const readBatches = (before) => ask("GET", `/batches?limit=20${before ? `&before=${encodeURIComponent(before)}` : ""}`);

async function ask(method, target, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  let text;
  try {
    answer = await fetch(target, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    text = await answer.text();
  } catch {
    throw new Refusal(0, null);
  }
  const told = parsed(text);
  if (!answer.ok) throw new Refusal(answer.status, told);
  return told;
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Send a file; `onProgress` gets sent and total bytes. Returns the promise of the upload and a way to stop. */
export function sendFile(fields, onProgress) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      const told = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && told) resolve(told);
      else reject(new Refusal(request.status, told));
    });
    request.addEventListener("error", () => reject(new Refusal(0, null)));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
  });
  request.open("POST", "/imports");
  request.setRequestHeader("Accept", "application/json");
  request.send(form);
  return { done, stop: () => request.abort() };
}

/** Follow an upload's work: `onStep` for each event, `onLost` while there is no connection, `onEnd` at the end. */
export function follow(id, { onStep, onLost, onEnd }) {
  const source = new EventSource(address(id, "/events"));
  source.addEventListener("progress", (event) => {
    const told = parsed(event.data);
    if (!told) return;
    if (isLive(told.state)) {
      onStep(told);
      return;
    }
    source.close();
    onEnd();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) onEnd();
    else onLost();
  });
  return () => source.close();
}

export const isLive = (state) => state === "reading" || state === "storing";

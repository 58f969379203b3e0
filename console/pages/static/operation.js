// @ts-check
/** How far a long operation is, as it goes on, by server-sent events; at its end the page is loaded anew, with what came of it. */

const place = document.getElementById("operation");
const said = place?.querySelector("[data-said]");
const bar = place?.querySelector("progress");

/** @typedef {{done: number, total: number | null, unit: string}} Progress */

/** @param {MessageEvent<string>} event */
function show(event) {
  /** @type {Progress} */
  const now = JSON.parse(event.data);
  if (bar) {
    bar.max = now.total ?? 1;
    if (now.total === null) bar.removeAttribute("value");
    else bar.value = now.done;
  }
  const numbers = new Intl.NumberFormat("en-GB");
  const of = now.total === null ? "" : ` of ${numbers.format(now.total)}`;
  if (said) said.textContent = `${numbers.format(now.done)}${of} ${now.unit}`;
}

/** @param {boolean} lost */
function showConnection(lost) {
  document.getElementById("lost")?.toggleAttribute("hidden", !lost);
}

const address = place?.dataset["events"];
if (address) {
  const events = new EventSource(address);
  addEventListener("pagehide", () => events.close());
  events.addEventListener("progress", show);
  events.addEventListener("open", () => showConnection(false));
  events.addEventListener("end", () => {
    events.close();
    location.reload();
  });
  events.addEventListener("error", () => {
    // A stream ends after a while and is asked for again by itself; only one that the browser gives up is lost.
    if (events.readyState === EventSource.CLOSED) showConnection(true);
  });
}

// @ts-check
/** A long operation that is under way: how far it is, as it goes on, by server-sent events. At its end the part that shows it is loaded anew,
 * or the page where no htmx does that. */

import { _ } from "./texts.js";

/** @typedef {{done: number, total: number | null, unit: string}} Progress */

const numbers = new Intl.NumberFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang);

/** @param {HTMLElement} part @param {Progress} now */
function show(part, now) {
  const bar = part.querySelector("progress");
  const text = part.querySelector("[data-progress]");
  if (bar !== null) {
    bar.max = now.total ?? 1;
    if (now.total === null) bar.removeAttribute("value");
    else bar.value = now.done;
  }
  const done = numbers.format(now.done);
  const far = now.total === null ? done : _("%(done)s of %(total)s", { done, total: numbers.format(now.total) });
  if (text !== null) text.textContent = `${far} ${now.unit}`;
}

/** @param {boolean} lost */
function showConnection(lost) {
  document.getElementById("lost")?.toggleAttribute("hidden", !lost);
}

/** @param {HTMLElement} part */
function follow(part) {
  const source = new EventSource(part.dataset["follow"] ?? "");
  part.removeAttribute("data-follow"); // it is followed once
  source.addEventListener("progress", (event) => show(part, /** @type {Progress} */ (JSON.parse(event.data))));
  source.addEventListener("open", () => showConnection(false));
  source.addEventListener("end", () => {
    source.close();
    if ("htmx" in window && part.hasAttribute("hx-get")) part.dispatchEvent(new Event("operation-ended"));
    else location.reload();
  });
  source.addEventListener("error", () => {
    // A stream ends after a while and is asked for again by itself; only one that the browser gives up is lost.
    if (source.readyState === EventSource.CLOSED) showConnection(true);
  });
  addEventListener("pagehide", () => source.close());
}

function followAll() {
  for (const part of document.querySelectorAll("[data-follow]")) if (part instanceof HTMLElement) follow(part);
}

followAll();
document.addEventListener("htmx:after:swap", followAll);

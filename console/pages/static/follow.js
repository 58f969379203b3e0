// @ts-check
/** A long operation that is under way: how far it is, as it goes on. At its end its part of the page is loaded anew. */

/** @typedef {{done: number, total: number | null, unit: string}} Progress */

const number = new Intl.NumberFormat("en-GB");

/** @param {HTMLElement} part @param {Progress} now */
function show(part, now) {
  const bar = part.querySelector("progress");
  const text = part.querySelector("[data-progress]");
  if (bar !== null && now.total !== null) {
    bar.max = now.total;
    bar.value = now.done;
  }
  if (text !== null && now.total !== null) text.textContent = `${number.format(now.done)} of ${number.format(now.total)} ${now.unit}`;
}

/** @param {HTMLElement} part */
function follow(part) {
  const source = new EventSource(part.dataset["follow"] ?? "");
  part.removeAttribute("data-follow");
  source.addEventListener("progress", (event) => show(part, /** @type {Progress} */ (JSON.parse(event.data))));
  source.addEventListener("end", () => {
    source.close();
    if ("htmx" in window) part.dispatchEvent(new Event("operation-ended"));
    else location.reload();
  });
  addEventListener("pagehide", () => source.close());
}

function followAll() {
  for (const part of document.querySelectorAll("[data-follow]")) if (part instanceof HTMLElement) follow(part);
}

followAll();
document.addEventListener("htmx:after:swap", followAll);

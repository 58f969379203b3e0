// @ts-check
/** What pages do beside their links and forms; without it they are read and used all the same. */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const moment = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** Moments in the viewer's zone; UTC stays in the title, to be seen on hovering.
 * @param {ParentNode} part */
function showTimes(part) {
  for (const time of part.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    time.textContent = moment.format(at);
    time.setAttribute("data-local", zone);
  }
}

/** Filters are applied as they are chosen; texts, when they are sent.
 * @param {Event} event */
function applyFilter(event) {
  const field = event.target;
  if (!(field instanceof HTMLSelectElement) || !field.form?.matches("form.filters")) return;
  field.form.requestSubmit();
}

/** A sign-in that the demo's link carries in its fragment, which browsers send nowhere; on this machine only. */
function signInByLink() {
  const form = document.querySelector("form[data-sign-in]");
  const here = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
  if (!(form instanceof HTMLFormElement) || !here || !location.hash.startsWith("#login=")) return;
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement && ["login", "password"].includes(name)) field.value = value;
  }
  history.replaceState(null, "", location.pathname + location.search);
  form.requestSubmit();
}

/** What is followed stays as it was while no answer comes, and says so; it goes on by itself.
 * @param {boolean} lost */
function showConnection(lost) {
  document.getElementById("lost")?.toggleAttribute("hidden", !lost);
}

/** An answer that is no page of ours to be shown in place: a problem, or the form to sign in where a session has ended.
 * @param {Event} event */
function checkAnswer(event) {
  if (!(event instanceof CustomEvent)) return;
  const answer = event.detail.ctx.response.raw;
  if (answer.redirected) {
    event.preventDefault();
    location.reload();
  } else if (!answer.ok) {
    event.preventDefault();
    showConnection(true);
  }
}

/** A page is on its way: a bar above says so until it is there. Files that are downloaded leave the page as it is.
 * @param {Event} event */
function showLoading(event) {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  const isElsewhere = link?.matches("[download], [target], [href^='#']") || (event instanceof MouseEvent && (event.ctrlKey || event.metaKey || event.shiftKey));
  if (isElsewhere || (event.type === "click" && link === null)) return;
  setTimeout(() => { if (!event.defaultPrevented) document.body.toggleAttribute("data-loading", true); });
}

document.addEventListener("submit", showLoading);
document.addEventListener("click", showLoading);
addEventListener("pageshow", () => document.body.toggleAttribute("data-loading", false));
document.addEventListener("htmx:before:response", checkAnswer);
document.addEventListener("htmx:error", () => showConnection(true));
document.addEventListener("htmx:after:swap", () => showConnection(false));
document.addEventListener("change", applyFilter);
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-close]") : null;
  button?.closest(".toast, details")?.remove();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector("details.confirm[open]")?.removeAttribute("open");
});

showTimes(document);
new MutationObserver(() => showTimes(document)).observe(document.body, { childList: true, subtree: true });
signInByLink();

// @ts-check
/** Nothing that was typed is lost: not to a server that is restarted, nor to a connection or a session that ends. The values of a form are kept
 * in this tab (sessionStorage) by the page's address, until the server has taken them, they are discarded, or somebody signs out.
 * Passwords and secrets are never kept. */

/** @typedef {{name: string, value: string, on: boolean}} Field */
/** @typedef {{caller: string, page: string, action: string, token: string, fields: Field[]}} Kept */

const PREFIX = "custom_events_typed ";
const TAKEN = /^(__Host-)?custom_events_taken=/; // console/pages/typed.py; with the prefix where the console is told that it is reached by https
const TOKEN = "typed_token";
const SECRET = /password|secret|token/i;
const LOOK_AGAIN_MS = 2000;
// Where the console itself is, whatever prefix is before it: this file lies at static/console/.
const root = new URL("../../", import.meta.url);
const page = location.pathname + location.search;
const caller = document.body.dataset["caller"] ?? "";
/** @type {WeakSet<HTMLFormElement>} */
const checked = new WeakSet();
/** @type {WeakSet<HTMLFormElement>} */
const asking = new WeakSet();
/** Forms that were looked after since they came: what is in them now is newer than what is kept.
 * @type {WeakSet<HTMLFormElement>} */
const seen = new WeakSet();
let isRestoring = false;

/** Whether what is typed in this form is ours to keep.
 * @param {EventTarget | null} form
 * @returns {form is HTMLFormElement} */
function isKept(form) {
  return form instanceof HTMLFormElement && form.method === "post" && caller !== "" && !form.matches("[data-unkept]") && !isSignOut(form);
}

/** @param {HTMLFormElement} form */
function isSignOut(form) {
  return actionOf(form).endsWith("/sign-out");
}

/** The path to which a form is sent; as an attribute, since a field may be named "action".
 * @param {HTMLFormElement} form */
function actionOf(form) {
  return new URL(form.getAttribute("action") ?? "", location.href).pathname;
}

/** The fields of a form that may be kept.
 * @param {HTMLFormElement} form */
function* fieldsOf(form) {
  for (const field of form.elements) {
    const has = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;
    if (!has || !field.name || field.name === TOKEN || SECRET.test(field.name)) continue;
    if (["password", "file", "submit", "button", "image", "reset"].includes(field.type)) continue;
    yield field;
  }
}

/** @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field */
function isChoice(field) {
  return field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type);
}

/** @returns {[string, Kept][]} */
function allKept() {
  /** @type {[string, Kept][]} */
  const all = [];
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX)) all.push([key, JSON.parse(sessionStorage.getItem(key) ?? "{}")]);
  }
  return all;
}

/** @param {(kept: Kept) => boolean} isMeant */
function forget(isMeant) {
  for (const [key, kept] of allKept()) if (isMeant(kept)) sessionStorage.removeItem(key);
}

/** @param {HTMLFormElement} form
 * @param {string} token */
function keep(form, token = "") {
  const action = actionOf(form);
  const fields = [...fieldsOf(form)].map((field) => ({ name: field.name, value: field.value, on: isChoice(field) && /** @type {HTMLInputElement} */ (field).checked }));
  /** @type {Kept} */
  const kept = { caller, page, action, token, fields };
  try {
    sessionStorage.setItem(`${PREFIX}${page} ${action}`, JSON.stringify(kept));
  } catch {
    // The browser has no room for it: the form itself still has what was typed.
  }
}

/** Put into a form what was typed there before. With it come the hidden fields: the state that was read then, so that a change of somebody else's
 * in between is seen as one. Returns whether anything that is seen differs.
 * @param {HTMLFormElement} form
 * @param {Kept} kept */
function restore(form, kept) {
  let differs = false;
  const rest = [...kept.fields];
  for (const field of fieldsOf(form)) {
    const choice = isChoice(field);
    const place = rest.findIndex((other) => other.name === field.name && (!choice || other.value === field.value));
    if (place < 0) continue;
    const [was] = rest.splice(place, 1);
    if (was === undefined) continue;
    if (choice) {
      const box = /** @type {HTMLInputElement} */ (field);
      if (box.checked === was.on) continue;
      box.checked = was.on;
    } else {
      if (field.value === was.value) continue;
      field.value = was.value;
      if (field.value !== was.value) continue; // an option that there is no more
    }
    if (field.type === "hidden") continue;
    differs = true;
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  }
  if (differs) form.closest("details")?.setAttribute("open", "");
  return differs;
}

/** @param {string} id
 * @param {boolean} shown */
function show(id, shown) {
  document.getElementById(id)?.toggleAttribute("hidden", !shown);
}

/** What the server has taken needs to be kept no longer, wherever it was typed: the same form may stand at several addresses. */
function forgetTaken() {
  const cookie = document.cookie.split("; ").find((part) => TAKEN.test(part));
  const [name, token] = cookie?.split("=") ?? [];
  const [, taken] = allKept().find(([, kept]) => token && kept.token === token) ?? [];
  if (!taken) return;
  forget((kept) => kept.action === taken.action);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=; Path=/; Max-Age=0; SameSite=Lax${secure}`;
}

function restoreAll() {
  let differs = false;
  for (const form of document.forms) {
    if (!isKept(form) || seen.has(form)) continue;
    seen.add(form);
    const action = actionOf(form);
    if ("problem" in document.body.dataset) {
      // The form is here again with what was typed and what is wrong with it: this state counts from now on.
      if (allKept().some(([, kept]) => kept.action === action)) {
        forget((kept) => kept.action === action);
        keep(form);
      }
      continue;
    }
    const [, kept] = allKept().find(([, other]) => other.page === page && other.action === action) ?? [];
    isRestoring = true; // what restoring tells the page is not typed by anybody
    if (kept && restore(form, kept)) differs = true;
    isRestoring = false;
  }
  if (differs) show("typed", true);
}

/** Whether the console answers now. */
async function answers() {
  try {
    return (await fetch(new URL("healthz", root), { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

let isAway = false;

/** Say that the connection is lost, and look until it is there again. */
async function away() {
  show("away", true);
  if (isAway) return;
  isAway = true;
  while (!(await answers())) await new Promise((go) => setTimeout(go, LOOK_AGAIN_MS));
  isAway = false;
  show("away", false);
}

/** A form goes only to a console that answers: to one that does not, the browser would leave the page for its own about the error.
 * @param {SubmitEvent} event */
async function send(event) {
  const form = event.target;
  if (form instanceof HTMLFormElement && isSignOut(form)) forget(() => true);
  if (!isKept(form) || event.defaultPrevented) return;
  if (checked.delete(form)) return;
  event.preventDefault();
  if (asking.has(form)) return; // a second click while the first one is looked after
  asking.add(form);
  const button = event.submitter instanceof HTMLElement && event.submitter.isConnected ? event.submitter : null;
  const token = crypto.getRandomValues(new Uint8Array(18)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
  keep(form, token);
  const isThere = await answers();
  asking.delete(form);
  if (!isThere) {
    void away();
    return;
  }
  form.querySelector(`input[name=${TOKEN}]`)?.remove();
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: TOKEN, value: token });
  form.append(field);
  checked.add(form);
  form.requestSubmit(button);
}

if (caller) {
  forget((kept) => kept.caller !== caller); // of somebody else who was here before
  forgetTaken();
  restoreAll();
}
for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const field = event.target;
    const form = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement ? field.form : null;
    if (!isRestoring && isKept(form)) keep(form);
  });
}
document.addEventListener("submit", (event) => void send(event));
document.addEventListener("htmx:after:swap", restoreAll);
addEventListener("offline", () => void away());
document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !event.target.matches("[data-discard]")) return;
  forget((kept) => kept.page === page);
  location.assign(page);
});

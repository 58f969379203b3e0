// @ts-check
/** A form is checked while it is filled in: it goes to where it will be sent, with a header by which the server does nothing that stays, and what
 * comes back wrong stands beside its fields. Fields that nobody has touched yet are left alone; the focus and what is typed are, too. */

const WAIT_MS = 600; // after the last change
const HEADER = "Custom-Events-Check"; // console/pages/serving.py
const UNUSABLE = [409, 412, 422];

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/** @param {unknown} element @returns {element is Control} */
function isControl(element) {
  return element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement;
}

/** What would be sent. New passwords and secrets go along only where the form says that its check looks at them and does nothing with them; the
 * current password never does: what is said about it would be a way to guess it.
 * @param {HTMLFormElement} form */
function typedIn(form) {
  const typed = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") typed.append(name, value);
  const takesSecrets = form.dataset["checks"] === "secrets";
  for (const control of form.elements) {
    if (!isControl(control) || control.type !== "password") continue;
    if (!takesSecrets || control.autocomplete !== "new-password") typed.delete(control.name);
  }
  return typed.toString();
}

/** The part of the form at which a fault stands: that of the field which it is about, or else the group that has it in the answer.
 * @param {HTMLFormElement} form @param {HTMLFormElement} answered @param {Element} fault @returns {Element | null} */
function placeOf(form, answered, fault) {
  const path = (fault instanceof HTMLElement ? fault.dataset["of"] : undefined) ?? fault.id.slice("e-".length);
  /** @type {Control | null} */
  let nearest = null;
  for (const control of form.elements) {
    if (!isControl(control) || !control.name) continue;
    const isAbout = path === control.name || path.startsWith(`${control.name}.`) || path.startsWith(`${control.name}[`);
    if (isAbout && control.name.length > (nearest?.name.length ?? 0)) nearest = control;
  }
  if (nearest !== null) return nearest.closest(".field, fieldset");
  const group = fault.closest("fieldset");
  return group === null ? null : form.querySelectorAll("fieldset")[[...answered.querySelectorAll("fieldset")].indexOf(group)] ?? null;
}

/** @param {Element} place */
function clear(place) {
  for (const fault of place.querySelectorAll(":scope > .error")) fault.remove();
  place.classList.remove("wrong");
  const control = place.matches(".field") ? place.querySelector("[aria-invalid]") : null;
  if (control === null) return;
  control.removeAttribute("aria-invalid");
  const hint = place.querySelector(":scope > .hint")?.id;
  if (hint) control.setAttribute("aria-describedby", hint);
  else control.removeAttribute("aria-describedby");
}

/** @param {Element} place @param {Element} fault */
function show(place, fault) {
  const shown = document.importNode(fault, true);
  if (!place.matches(".field")) {
    place.querySelector(":scope > legend")?.after(shown);
    return;
  }
  place.append(shown);
  place.classList.add("wrong");
  const control = place.querySelector("input, select, textarea");
  control?.setAttribute("aria-invalid", "true");
  control?.setAttribute("aria-describedby", shown.id);
}

/** What is wrong in the words of an answer: each value by itself, where it names some.
 * @param {Document} page */
function problemOf(page) {
  const values = [...page.querySelectorAll("#main > .note.bad li")].map((value) => value.textContent?.trim());
  return values.join(" ") || (page.querySelector("#main > .note.bad p")?.textContent ?? "");
}

/** The path to which a form is sent, behind whatever leads to the console from its page.
 * @param {HTMLFormElement} form */
function actionOf(form) {
  return (form.getAttribute("action") ?? "").replace(/^(\.\.\/)+/, "");
}

/** @param {HTMLFormElement} form */
function watch(form) {
  /** @type {Set<Control>} */
  const touched = new Set();
  const status = document.createElement("p"); // read aloud; seen where what is wrong is about no field
  status.className = "hidden";
  status.setAttribute("role", "status");
  form.append(status);
  let sent = typedIn(form);
  let timer = 0;
  let turn = 0;

  /** `whole`: what is wrong with no field; `said`: what is told of a form that could be sent.
   * @param {HTMLFormElement | null} answered @param {string} whole @param {string} said */
  function tell(answered, whole, said) {
    const isTouched = (/** @type {Element} */ place) => [...touched].some((control) => place.contains(control));
    for (const place of form.querySelectorAll(".field, fieldset")) if (isTouched(place)) clear(place);
    for (const fault of form.querySelectorAll(".error[data-of]")) fault.remove();
    const messages = new Set();
    for (const fault of answered?.querySelectorAll(".error[id]") ?? []) {
      const place = placeOf(form, /** @type {HTMLFormElement} */ (answered), fault);
      if (place === null || !isTouched(place)) continue;
      show(place, fault);
      messages.add(fault.textContent?.trim());
    }
    const isOfNoField = answered !== null && answered.querySelector(".error[id]") === null;
    const text = isOfNoField ? whole : said || [...messages].join(" ");
    status.className = isOfNoField ? "note warn" : said ? "note info" : "hidden";
    if (status.textContent !== text) status.textContent = text;
  }

  /** The same form of an answer, which may have others that are checked.
   * @param {Document} page @returns {HTMLFormElement | null} */
  function formIn(page) {
    const forms = /** @type {NodeListOf<HTMLFormElement>} */ (page.querySelectorAll("form[data-checks]"));
    return [...forms].find((other) => actionOf(other) === actionOf(form)) ?? forms[0] ?? null;
  }

  async function check() {
    const body = typedIn(form);
    if (body === sent) return;
    sent = body;
    const mine = ++turn;
    try {
      const headers = { [HEADER]: "yes", "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
      const answer = await fetch(form.getAttribute("action") ?? "", { method: "POST", headers, body, redirect: "error" });
      if (!answer.ok && !UNUSABLE.includes(answer.status)) return;
      const text = await answer.text();
      if (mine !== turn) return;
      if (answer.ok) {
        tell(null, "", text);
        return;
      }
      const page = new DOMParser().parseFromString(text, "text/html");
      const answered = formIn(page);
      if (answered !== null) tell(answered, problemOf(page), "");
    } catch {
      sent = ""; // no answer: what is wrong is told when the form is sent
    }
  }

  /** @param {Event} event */
  function changed(event) {
    if (isControl(event.target)) touched.add(event.target);
    clearTimeout(timer);
    timer = setTimeout(check, WAIT_MS);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    turn += 1; // what is wrong comes with the answer to that
  });
}

for (const form of document.querySelectorAll("form[data-checks]")) if (form instanceof HTMLFormElement) watch(form);

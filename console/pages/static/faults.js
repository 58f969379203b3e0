// @ts-check
/** Faults that the server tells while somebody types, beside the fields that they are about. They stay in the list, too. */

/** Whether `name` is a part of what stands at `path`.
 * @param {string} name @param {string} path */
function isWithin(name, path) {
  return name === path || name.startsWith(`${path}.`) || name.startsWith(`${path}[`);
}

/** The part of the builder that a fault is about, with its path.
 * @param {string} name @returns {{part: HTMLElement, path: string} | null} */
function builtPart(name) {
  /** @type {{part: HTMLElement, path: string} | null} */
  let best = null;
  for (const part of document.querySelectorAll(".tree-box:not([hidden]) [data-path]")) {
    if (!(part instanceof HTMLElement)) continue;
    const path = `config.${part.dataset["path"] ?? ""}`;
    if (isWithin(name, path) && (best === null || path.length >= best.path.length)) best = { part, path };
  }
  return best;
}

/** @param {string} name @returns {HTMLElement | null} */
function field(name) {
  /** @type {HTMLElement | null} */
  let best = null;
  let longest = 0;
  for (const control of document.querySelectorAll("#definition-form [name]")) {
    const own = control.getAttribute("name") ?? "";
    if (control instanceof HTMLElement && isWithin(name, own) && own.length > longest) {
      best = control;
      longest = own.length;
    }
  }
  return best;
}

/** @param {HTMLElement} control @param {string} id */
function mark(control, id) {
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", [control.dataset["described"] ?? control.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
  control.dataset["faulty"] = "";
}

function clear() {
  for (const told of document.querySelectorAll(".live-fault, #definition-form .field > .error")) told.remove();
  for (const control of document.querySelectorAll("[data-faulty], #definition-form [aria-invalid]")) {
    const kept = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id.startsWith("h-"));
    control.removeAttribute("aria-invalid");
    control.removeAttribute("data-faulty");
    if (kept.length > 0) control.setAttribute("aria-describedby", kept.join(" "));
    else control.removeAttribute("aria-describedby");
  }
  for (const wrong of document.querySelectorAll("#definition-form .field.wrong")) wrong.classList.remove("wrong");
}

function place() {
  const told = document.querySelectorAll("#check [data-fault]");
  if (document.querySelector("#check .faults") === null) return; // not asked yet: what the page came with stays
  clear();
  for (const [number, fault] of [...told].entries()) {
    if (!(fault instanceof HTMLElement)) continue;
    const name = fault.dataset["fault"] ?? "";
    const text = document.createElement("span");
    text.id = `fault-${number}`;
    text.className = `live-fault ${fault.dataset["severity"] === "warning" ? "warning" : "error"}`;
    text.textContent = fault.querySelector("span")?.textContent ?? "";
    const built = builtPart(name);
    if (built !== null) {
      [...built.part.children].find((child) => child.classList.contains("node-faults"))?.append(text);
      const step = name.slice(built.path.length + 1).split(/[.[]/)[0] ?? "";
      const control = built.part.querySelector(`[data-part="${CSS.escape(step)}"]`);
      if (control instanceof HTMLElement) mark(control, text.id);
      continue;
    }
    const control = field(name);
    if (control === null) continue;
    const around = control.closest(".field, fieldset");
    around?.append(text);
    if (text.classList.contains("error")) around?.classList.add("wrong");
    if (control.getAttribute("type") !== "checkbox") mark(control, text.id);
  }
}

document.addEventListener("htmx:after:swap", place);
document.addEventListener("builder:drawn", place);

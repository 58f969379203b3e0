// @ts-check
/** Elements, made in one line. */

/** @typedef {{[name: string]: string | boolean | undefined}} Attributes */

let newest = 0;

/** @param {string} start @returns {string} An id that nothing else of the page has. */
export function freshId(start) {
  newest += 1;
  return `${start}-${newest}`;
}

/** An element with attributes (true: there without a value; false and undefined: not there) and children.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name @param {Attributes} attributes @param {(globalThis.Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]} */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A button that sends no form.
 * @param {string} text @param {Attributes} attributes @param {() => void} act @returns {HTMLButtonElement} */
export function button(text, attributes, act) {
  const made = el("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A choice. `options`: value and text.
 * @param {string} label @param {[string, string][]} options @param {string} value @param {(value: string) => void} choose
 * @param {Attributes} attributes @returns {HTMLSelectElement} */
export function choice(label, options, value, choose, attributes = {}) {
  const made = el("select", { "aria-label": label, ...attributes });
  for (const [option, text] of options) made.append(el("option", { value: option, selected: option === value }, text));
  made.addEventListener("change", () => choose(made.value));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** A button that takes something away: a cross, with what it takes away as its name.
 * @param {string} name @param {() => void} act @returns {HTMLButtonElement} */
export function removeButton(name, act) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 10 10");
  picture.setAttribute("aria-hidden", "true");
  const cross = document.createElementNS(SVG, "path");
  cross.setAttribute("d", "M1.5 1.5l7 7M8.5 1.5l-7 7");
  picture.append(cross);
  const made = button("", { class: "remove", "aria-label": name, title: name }, act);
  made.append(picture);
  return made;
}

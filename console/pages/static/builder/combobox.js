// @ts-check
/** A text field that finds what is meant by a part of its name or its meaning (WAI-ARIA 1.2: combobox with a list). */

import { _ } from "../texts.js";
import { el, freshId } from "./dom.js";

/** @typedef {{value: string, text: string, detail: string, example: string, goesOn: boolean}} Option */

const MOST_SHOWN = 60;

/** @param {Option[]} options @param {string} typed @returns {Option[]} Those that fit; of all, the names that begin so first. */
export function fitting(options, typed) {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return options;
  /** @param {Option} option */
  const rank = (option) => {
    const name = option.text.toLowerCase();
    if (name.startsWith(wanted)) return 0;
    if (name.includes(wanted)) return 1;
    const words = wanted.split(/[\s._]+/).filter(Boolean);
    return words.every((word) => name.includes(word) || option.detail.toLowerCase().includes(word)) ? 2 : 3;
  };
  return options.filter((option) => rank(option) < 3).sort((one, other) => rank(one) - rank(other));
}

/** @param {{label: string, value: string, options: Option[], choose: (value: string) => void, tell: (text: string) => void}} how
 * @returns {HTMLDivElement} */
export function combobox(how) {
  const list_id = freshId("fields");
  const list = el("ul", { role: "listbox", id: list_id, "aria-label": how.label, hidden: true });
  const input = el("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-label": how.label, "aria-expanded": "false",
    "aria-autocomplete": "list", "aria-controls": list_id, "data-part": "field", placeholder: _("find a field"),
  });
  input.value = how.value;
  let given = how.value;
  /** @type {Option[]} */
  let shown = [];
  let active = -1;

  const isOpen = () => !list.hidden;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  };
  const commit = () => {
    close();
    if (input.value.trim() === given) return;
    given = input.value.trim();
    how.choose(given);
  };
  /** @param {Option} option */
  const take = (option) => {
    input.value = option.value;
    if (!option.goesOn) return commit();
    close();
    how.tell(_("%(name)s: type the rest of the name.", { name: option.text }));
    input.focus();
  };
  /** @param {number} place */
  const activate = (place) => {
    active = place;
    for (const [number, item] of [...list.children].entries()) {
      item.setAttribute("aria-selected", String(number === active));
      if (number === active) {
        input.setAttribute("aria-activedescendant", item.id);
        item.scrollIntoView({ block: "nearest" });
      }
    }
  };
  /** @param {string} typed */
  const open = (typed) => {
    const found = fitting(how.options, typed);
    shown = found.slice(0, MOST_SHOWN);
    list.replaceChildren(...shown.map((option) => {
      const item = el("li", { role: "option", id: freshId("field"), "aria-selected": "false" }, el("strong", {}, option.text),
        el("span", { class: "detail" }, option.detail), el("span", { class: "example" }, _("for example %(example)s", { example: option.example })));
      item.addEventListener("mousedown", (event) => {
        event.preventDefault();
        take(option);
      });
      return item;
    }));
    list.hidden = shown.length === 0;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    input.removeAttribute("aria-activedescendant");
    active = -1;
    how.tell(found.length === 0 ? _("No field fits.") : _("Fields that fit: %(number)s; arrow keys choose.", { number: found.length }));
  };

  input.addEventListener("input", (event) => {
    event.stopPropagation();
    open(input.value);
  });
  input.addEventListener("click", () => open(""));
  input.addEventListener("blur", () => setTimeout(commit)); // once the focus is where it goes
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen()) open(input.value === given ? "" : input.value);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (shown.length > 0) activate((active + step + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = isOpen() ? shown[active] ?? (shown.length === 1 ? shown[0] : undefined) : undefined;
      if (option !== undefined) take(option);
      else commit();
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();
      input.value = given;
      close();
    }
  });
  return el("div", { class: "combo" }, input, list);
}

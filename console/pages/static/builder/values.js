// @ts-check
/** What a comparison is given: an editor for each kind of value, and what a value of that kind begins with. */

import { _ } from "../texts.js";
import { choice, el } from "./dom.js";

/** @typedef {import("./model.js").Json} Json */
/** @typedef {{wants: string, value: Json | undefined, words: string[], example: string, change: (value: Json | undefined) => void}} Asked */

const WHOLE_OR_SHORT = /^-?(0|[1-9]\d{0,14})(\.\d{1,6})?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** @type {[string, string][]} */
const UNITS = [["minutes", _("minutes")], ["hours", _("hours")], ["days", _("days")]];
/** How an open value may be read, in words.
 * @type {{[wants: string]: string}} */
export const READ_AS = {
  text: _("a text"), number: _("a number"), boolean: _("yes or no"), texts: _("texts"), numbers: _("numbers"), range: _("numbers"), moments: _("dates or times"),
};

/** What is typed for a number: a JSON number where that keeps each digit, else a text, which the server judges.
 * @param {string} text @returns {number | string} */
export function numberOf(text) {
  const typed = text.trim();
  return WHOLE_OR_SHORT.test(typed) && String(Number(typed)) === typed ? Number(typed) : typed;
}

/** What a value of a kind begins with; undefined: there is none.
 * @param {string} wants @param {string[]} words @returns {Json | undefined} */
export function firstValue(wants, words) {
  switch (wants) {
    case "nothing":
      return undefined;
    case "boolean":
      return true;
    case "duration":
      return { days: 30 };
    case "texts":
    case "numbers":
    case "integers":
      return [];
    case "range":
    case "integer_range":
    case "moments":
      return ["", ""];
    default:
      return words[0] ?? "";
  }
}

/** Which of several kinds a value is of: how an open value is read.
 * @param {string[]} wants @param {Json | undefined} value @returns {string} */
export function kindOf(wants, value) {
  const first = Array.isArray(value) ? value[0] : value;
  const is_date = typeof first === "string" && /^\d{4}-/.test(first);
  const fits = (/** @type {string} */ kind) => {
    if (kind === "boolean") return typeof first === "boolean";
    if (kind === "number" || kind === "numbers") return typeof first === "number";
    if (kind === "moments") return is_date;
    return true;
  };
  const narrow = wants.filter((kind) => kind !== "text" && kind !== "texts" && kind !== "range");
  return narrow.find(fits) ?? wants[0] ?? "text";
}

/** The editor of a value.
 * @param {Asked} asked @returns {HTMLElement | null} */
export function valueEditor(asked) {
  switch (asked.wants) {
    case "nothing":
      return null;
    case "boolean":
      return choice(_("Value"), [["true", _("yes")], ["false", _("no")]], String(asked.value), (text) => asked.change(text === "true"), part());
    case "duration":
      return durationEditor(asked);
    case "texts":
      return asked.words.length > 0 ? wordsEditor(asked) : listEditor(asked, (text) => text);
    case "numbers":
    case "integers":
      return listEditor(asked, numberOf);
    case "range":
    case "integer_range":
      return pairEditor(asked, (label, value, change) => textInput(label, value, "decimal", asked.example, (text) => change(numberOf(text))));
    case "moments":
      return pairEditor(asked, momentEditor);
    case "moment":
      return momentEditor(_("Value"), asked.value, asked.change);
    case "number":
    case "integer":
      return textInput(_("Value"), asked.value, "decimal", asked.example, (text) => asked.change(numberOf(text)));
    default:
      return wordOrText(asked);
  }
}

/** @returns {{"data-part": string}} */
function part() {
  return { "data-part": "value" };
}

/** @param {Json | undefined} value @returns {string} */
function shown(value) {
  return value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {string} label @param {Json | undefined} value @param {"text" | "decimal"} mode @param {string} example @param {(text: string) => void} change */
function textInput(label, value, mode, example, change) {
  const input = el("input", { type: "text", "aria-label": label, inputmode: mode, autocomplete: "off", placeholder: example, ...part() });
  input.value = shown(value);
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    change(input.value);
  });
  return input;
}

/** @param {Asked} asked */
function wordOrText(asked) {
  if (asked.wants !== "text" || asked.words.length === 0) return textInput(_("Value"), asked.value, "text", asked.example, asked.change);
  const value = shown(asked.value);
  /** @type {[string, string][]} */
  const options = asked.words.map((word) => [word, word]);
  if (!asked.words.includes(value)) options.unshift([value, value === "" ? _("choose one") : _("%(word)s (unknown)", { word: value })]);
  return choice(_("Value"), options, value, asked.change, part());
}

/** @param {Asked} asked @param {(text: string) => Json} read */
function listEditor(asked, read) {
  const input = el("textarea", { "aria-label": _("Values, a line each"), rows: "3", placeholder: `${asked.example}\n${_("another, on its own line")}`, spellcheck: "false", ...part() });
  input.value = Array.isArray(asked.value) ? asked.value.map(shown).join("\n") : shown(asked.value);
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    asked.change(input.value.split("\n").map((line) => line.trim()).filter(Boolean).map(read));
  });
  return input;
}

/** @param {Asked} asked */
function wordsEditor(asked) {
  const chosen = new Set(Array.isArray(asked.value) ? asked.value.map(shown) : []);
  const box = el("div", { class: "checks", role: "group", "aria-label": _("Values"), ...part() });
  for (const word of new Set([...asked.words, ...chosen])) {
    const input = el("input", { type: "checkbox", checked: chosen.has(word) });
    input.addEventListener("change", () => {
      if (input.checked) chosen.add(word);
      else chosen.delete(word);
      asked.change([...chosen]);
    });
    box.append(el("label", { class: "check" }, input, ` ${word}`));
  }
  return box;
}

/** @param {Asked} asked @param {(label: string, value: Json | undefined, change: (value: Json) => void) => HTMLElement} editor */
function pairEditor(asked, editor) {
  /** @type {Json[]} */
  const pair = Array.isArray(asked.value) ? [asked.value[0] ?? "", asked.value[1] ?? ""] : ["", ""];
  const editors = [_("From"), _("To")].map((label, place) => editor(label, pair[place], (value) => {
    pair[place] = value;
    asked.change([...pair]);
  }));
  return el("span", { class: "pair" }, ...editors.flatMap((made, place) => (place === 0 ? [made] : [el("span", { class: "muted" }, _("and")), made])));
}

/** @param {Asked} asked */
function durationEditor(asked) {
  const value = asked.value;
  const given = typeof value === "object" && value !== null && !Array.isArray(value) ? value : { days: 30 };
  const [firstUnit, firstAmount] = Object.entries(given)[0] ?? ["days", 30];
  let unit = firstUnit;
  /** @type {Json} */
  let amount = firstAmount;
  const change = () => asked.change({ [unit]: amount });
  const input = textInput(_("How long"), amount, "decimal", "30", (text) => {
    amount = numberOf(text);
    change();
  });
  const units = choice(_("Unit"), UNITS, unit, (chosen) => {
    unit = chosen;
    change();
  });
  return el("span", { class: "pair" }, input, units);
}

/** A day, or a moment with its offset.
 * @param {string} label @param {Json | undefined} value @param {(value: Json) => void} change */
function momentEditor(label, value, change) {
  const text = shown(value);
  const is_day = text === "" || DAY.test(text);
  const input = el("input", { type: is_day ? "date" : "text", "aria-label": label, autocomplete: "off", placeholder: "2026-11-01T08:30:00Z", ...part() });
  input.value = text;
  const turn = choice(_("%(label)s: a day or a moment", { label }), [["day", _("day")], ["moment", _("moment")]], is_day ? "day" : "moment", (kind) => {
    const now = input.value;
    input.type = kind === "day" ? "date" : "text";
    input.value = kind === "day" ? now.slice(0, 10) : DAY.test(now) ? `${now}T00:00:00Z` : now;
    change(input.value);
  });
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    change(input.value);
  });
  return el("span", { class: "pair" }, input, turn);
}

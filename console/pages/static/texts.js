// @ts-check
/** Texts of scripts in the page's language. They stand in English where they are said, are listed for translators like those of templates, and are
 * looked up in what the page brings of its language (console/pages/script_texts.py). A text with a number is written so that it needs no plural. */

/** @type {{[text: string]: string}} */
const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

/** A text in the page's language, its named places filled: _("%(number)s chosen.", { number: 3 }).
 * @param {string} text @param {{[name: string]: string | number}} [values] @returns {string} */
export function _(text, values = {}) {
  return (texts[text] ?? text).replace(/%\((\w+)\)s/g, (place, name) => String(values[name] ?? place));
}

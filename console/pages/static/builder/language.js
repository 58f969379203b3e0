// @ts-check
/** What conditions may ask, as the API tells it: fields, their operators, and what these are given. */

import { _ } from "../texts.js";

/** @typedef {import("./model.js").Json} Json */
/** @typedef {import("./model.js").Scope} Scope */
/** @typedef {{op: string, words: string, meaning: string, wants: string[], hint: string, takes_case: boolean}} Operator */
/** @typedef {{name: string, type: string, scope: Scope, meaning: string, example: string, words: string[], platforms: string[], is_open: boolean}} Field */
/** @typedef {{fields: Field[], operators: {[type: string]: Operator[]}, measures: {word: string, type: string}[], measure_operators: string[], most_levels: number}} LanguageData */

const OPEN_END = "NAME";
/** What a new comparison of a type begins with; the first operator for the others.
 * @type {{[type: string]: string}} */
const FIRST = { money: ">=", number: ">=", integer: ">=", time: "after" };
/** @type {{[word: string]: string}} */
export const MEASURE_WORDS = { count: _("the number of line items"), quantity: _("the quantity of line items"), total: _("the total of line items") };

export class Language {
  /** @param {LanguageData} data */
  constructor(data) {
    this.data = data;
  }

  /** @param {Scope} scope @returns {Field[]} */
  fields(scope) {
    return this.data.fields.filter((field) => field.scope === scope);
  }

  /** The field of a name, also one whose end the sender chooses; undefined: there is none.
   * @param {string} name @param {Scope} scope @returns {Field | undefined} */
  field(name, scope) {
    const known = this.fields(scope);
    return known.find((field) => field.name === name) ?? known.find((field) => field.is_open && isOf(field, name));
  }

  /** The operators of a type, of every type where it is not known.
   * @param {string | undefined} type @returns {Operator[]} */
  operators(type) {
    return this.data.operators[type ?? "open"] ?? this.data.operators["open"] ?? [];
  }

  /** @param {string | undefined} type @param {string} op @returns {Operator | undefined} */
  operator(type, op) {
    return this.operators(type).find((known) => known.op === op);
  }

  /** @param {string | undefined} type @returns {string} */
  firstOperator(type) {
    return FIRST[type ?? ""] ?? this.operators(type)[0]?.op ?? "=";
  }

  /** The operators of a measure.
   * @param {string} word @returns {Operator[]} */
  measureOperators(word) {
    const type = this.data.measures.find((known) => known.word === word)?.type;
    return this.operators(type).filter((known) => this.data.measure_operators.includes(known.op));
  }
}

/** @param {Field} field @param {string} name */
function isOf(field, name) {
  const start = openStart(field);
  return name.startsWith(start) && name.length > start.length;
}

/** How the names of an open field begin.
 * @param {Field} field @returns {string} */
export function openStart(field) {
  return field.name.slice(0, -OPEN_END.length);
}

/** @type {Map<string, Promise<Language>>} */
const asked = new Map();

/** The language, asked for once on a page.
 * @param {string} address @returns {Promise<Language>} */
export function languageAt(address) {
  const known = asked.get(address);
  if (known !== undefined) return known;
  const answer = fetch(address, { headers: { Accept: "application/json" } }).then(async (found) => {
    if (!found.ok) throw new Error(`the language of conditions is not told: ${found.status}`);
    return new Language(/** @type {LanguageData} */ (await found.json()));
  });
  asked.set(address, answer);
  return answer;
}

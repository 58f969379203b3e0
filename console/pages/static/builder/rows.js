// @ts-check
/** The rows of the builder: one comparison, or one number made of line items. */

import { _ } from "../texts.js";
import { combobox } from "./combobox.js";
import { choice, el, removeButton } from "./dom.js";
import { MEASURE_WORDS, openStart } from "./language.js";
import { READ_AS, firstValue, kindOf, valueEditor } from "./values.js";

/** @typedef {import("./model.js").Json} Json */
/** @typedef {import("./model.js").JsonObject} JsonObject */
/** @typedef {import("./model.js").Leaf} Leaf */
/** @typedef {import("./model.js").Measure} Measure */
/** @typedef {import("./model.js").Node} Node */
/** @typedef {import("./model.js").Scope} Scope */
/** @typedef {import("./language.js").Language} Language */
/** @typedef {import("./language.js").Operator} Operator */
/** @typedef {import("./language.js").Field} Field */

export class Rows {
  /** @param {Language} language @param {(text: string) => void} tell @param {(node: Node) => void} redraw @param {() => void} write */
  constructor(language, tell, redraw, write) {
    this.language = language;
    this.tell = tell;
    this.redraw = redraw;
    this.write = write;
  }

  /** @param {Leaf} node @param {Scope} scope @param {() => void} remove @returns {HTMLElement} */
  leaf(node, scope, remove) {
    const { json } = node;
    const name = String(json["field"] ?? "");
    const field = this.language.field(name, scope);
    const operators = this.language.operators(field?.type);
    const operator = operators.find((known) => known.op === json["op"]);
    const box = combobox({
      label: _("Field"), value: name, tell: this.tell,
      options: this.language.fields(scope).map((known) => ({
        value: known.is_open ? openStart(known) : known.name, text: known.name, detail: known.meaning, example: known.example, goesOn: known.is_open,
      })),
      choose: (chosen) => this.chooseField(node, chosen, scope),
    });
    const row = el("div", {
      class: "node leaf", role: "group", "aria-label": name === "" ? _("Condition") : _("Condition on %(field)s", { field: name }), "data-node": String(node.id), "data-scope": scope,
    }, el("div", { class: "row" }, box, ...this.comparison(node, operators, operator, field), removeButton(name === "" ? _("Remove the condition") : _("Remove the condition on %(field)s", { field: name }), remove)));
    if (field !== undefined) row.append(el("p", { class: "small muted meaning" }, field.meaning, ...(field.words.length > 0 ? [] : [` ${_("For example")} `, el("code", {}, field.example)])));
    row.append(el("div", { class: "node-faults" }));
    return row;
  }

  /** @param {Measure} node @param {() => void} remove @returns {HTMLElement} */
  measure(node, remove) {
    const word = String(node.json["measure"] ?? "count");
    const operators = this.language.measureOperators(word);
    const operator = operators.find((known) => known.op === node.json["op"]);
    /** @type {[string, string][]} */
    const words = this.language.data.measures.map((known) => [known.word, MEASURE_WORDS[known.word] ?? known.word]);
    const measured = choice(_("What is measured"), words, word, (chosen) => {
      node.json["measure"] = chosen;
      if (chosen !== "total") delete node.json["currency"];
      this.redraw(node);
    }, { "data-part": "measure" });
    const money = this.language.data.measures.find((known) => known.word === word)?.type === "money";
    return el("div", { class: "row" }, measured, ...this.comparison(node, operators, operator, undefined, money), removeButton(_("Remove the number of items"), remove));
  }

  /** Operator, value, and what belongs to them.
   * @param {Leaf | Measure} node @param {Operator[]} operators @param {Operator | undefined} operator @param {Field | undefined} field @param {boolean} [money]
   * @returns {HTMLElement[]} */
  comparison(node, operators, operator, field, money = field?.type === "money") {
    const { json } = node;
    const wants = operator?.wants ?? ["text"];
    const kind = kindOf(wants, json["value"]);
    /** @type {[string, string][]} */
    const options = operators.map((known) => [known.op, known.words === known.op ? known.op : known.words]);
    const given = String(json["op"] ?? "");
    if (operator === undefined) options.unshift([given, _("%(word)s (unknown)", { word: given })]);
    const parts = [choice(_("Operator"), options, given, (chosen) => this.chooseOperator(node, chosen, operators, field, kind), { "data-part": "op", class: "op" })];
    /** @type {HTMLElement[]} */
    const more = [];
    if (wants.length > 1) {
      /** @type {[string, string][]} */
      const kinds = wants.map((known) => [known, READ_AS[known] ?? known]);
      more.push(choice(_("Read as"), kinds, kind, (chosen) => {
        setValue(json, firstValue(chosen, []) ?? "");
        if (chosen === "number") json["value"] = 0;
        if (chosen === "numbers") json["value"] = [0];
        if (chosen === "moments") json["value"] = ["2026-01-01", "2026-12-31"];
        this.redraw(node);
      }, { "data-part": "kind" }));
    }
    const words = ["=", "!=", "in", "not_in"].includes(given) ? field?.words ?? [] : [];
    const editor = valueEditor({ wants: kind, value: json["value"], words, example: field?.example ?? "", change: (value) => this.changeValue(json, value) });
    if (editor !== null) more.push(el("span", { class: "value" }, editor));
    if (money && kind !== "nothing") more.push(this.currency(json));
    if (operator?.takes_case) more.push(this.case(json));
    return [...parts, ...more];
  }

  /** @param {JsonObject} json @returns {HTMLElement} */
  currency(json) {
    const input = el("input", { type: "text", class: "currency", "aria-label": _("Currency"), placeholder: "EUR …", maxlength: "3", autocomplete: "off", "data-part": "currency" });
    input.value = String(json["currency"] ?? "");
    input.addEventListener("input", (event) => {
      event.stopPropagation();
      const code = input.value.trim().toUpperCase();
      if (code === "") delete json["currency"];
      else json["currency"] = code;
      this.write();
    });
    return input;
  }

  /** @param {JsonObject} json @returns {HTMLElement} */
  case(json) {
    const input = el("input", { type: "checkbox", checked: json["ignore_case"] === true, "data-part": "ignore_case" });
    input.addEventListener("change", () => {
      if (input.checked) json["ignore_case"] = true;
      else delete json["ignore_case"];
      this.write();
    });
    return el("label", { class: "check small" }, input, ` ${_("any case")}`);
  }

  /** @param {JsonObject} json @param {Json | undefined} value */
  changeValue(json, value) {
    setValue(json, value);
    this.write();
  }

  /** Another field: its operators, and what fits of the old comparison.
   * @param {Leaf} node @param {string} chosen @param {Scope} scope */
  chooseField(node, chosen, scope) {
    const { json } = node;
    const before = this.language.field(String(json["field"] ?? ""), scope);
    const field = this.language.field(chosen, scope);
    json["field"] = chosen;
    if (field?.type !== "money") delete json["currency"];
    if (field?.type !== before?.type || (field?.words.length ?? 0) > 0) {
      const known = this.language.operator(field?.type, String(json["op"]));
      const op = before !== undefined && known !== undefined ? known.op : this.language.firstOperator(field?.type);
      const operator = this.language.operator(field?.type, op);
      json["op"] = op;
      setValue(json, firstValue(operator?.wants[0] ?? "text", field?.words ?? []));
      if (!operator?.takes_case) delete json["ignore_case"];
    }
    this.redraw(node);
  }

  /** Another operator; the value stays where it is of the kind that this one wants.
   * @param {Leaf | Measure} node @param {string} chosen @param {Operator[]} operators @param {Field | undefined} field @param {string} before */
  chooseOperator(node, chosen, operators, field, before) {
    const { json } = node;
    const operator = operators.find((known) => known.op === chosen);
    json["op"] = chosen;
    const wants = operator?.wants ?? ["text"];
    if (!wants.includes(before)) setValue(json, firstValue(wants[0] ?? "text", ["=", "!="].includes(chosen) ? field?.words ?? [] : []));
    if (!operator?.takes_case) delete json["ignore_case"];
    if (wants.includes("nothing")) delete json["currency"];
    this.redraw(node);
  }
}

/** @param {JsonObject} json @param {Json | undefined} value */
function setValue(json, value) {
  if (value === undefined) delete json["value"];
  else json["value"] = value;
}

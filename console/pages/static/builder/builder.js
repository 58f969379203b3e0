// @ts-check
/** The builder of conditions, beside their written form: what is built is written there, and what is written there is built. */

import { button, choice, el, removeButton } from "./dom.js";
import { languageAt } from "./language.js";
import { group, items, leaf, measure, pathsOf, placeOf, readTree, writeTree } from "./model.js";
import { Rows } from "./rows.js";
import { _ } from "../texts.js";

/** @typedef {import("./model.js").Json} Json */
/** @typedef {import("./model.js").Node} Node */
/** @typedef {import("./model.js").Group} Group */
/** @typedef {import("./model.js").Scope} Scope */
/** @typedef {import("./language.js").Language} Language */

/** What can be added to a group; line items only where the conditions are on the event.
 * @type {[string, string, Scope | "both"][]} */
const ADDED = [["leaf", _("Condition"), "both"], ["group", _("Group"), "both"], ["items", _("Line items"), "event"], ["measure", _("Number of items"), "event"]];
/** @type {[import("./model.js").GroupWord, string][]} */
const GROUP_WORDS = [["all", _("all of these hold")], ["any", _("any of these holds")], ["none", _("none of these holds")]];
/** @type {[import("./model.js").ItemsWord, string][]} */
const ITEMS_TEXTS = [["any_item", _("at least one line item")], ["all_items", _("every line item")], ["no_item", _("no line item")]];

export class Builder {
  /** @param {HTMLElement} host @param {HTMLTextAreaElement} written @param {Language} language */
  constructor(host, written, language) {
    this.host = host;
    this.written = written;
    this.scope = /** @type {Scope} */ (host.dataset["scope"] ?? "event");
    this.path = host.dataset["path"] ?? "conditions";
    this.status = el("p", { class: "hidden", role: "status" });
    this.place = el("div", { class: "tree-box" });
    this.rows = new Rows(language, (text) => this.tell(text), (node) => this.redraw(node), () => this.write());
    /** @type {Group} */
    this.tree = group("all");
    host.prepend(el("h3", {}, host.dataset["label"] ?? ""), this.place, this.status);
    written.addEventListener("input", () => this.readWritten());
    this.place.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault(); // sends no half-built form
    });
    this.readWritten();
  }

  /** Build what is written; what the builder does not know stays as it is written. */
  readWritten() {
    if (this.writing) return;
    /** @type {Group | null} */
    let tree = null;
    try {
      tree = readTree(/** @type {Json} */ (JSON.parse(this.written.value.trim() || "null")));
    } catch {
      // No JSON: the server says so beside the field.
    }
    this.place.hidden = tree === null;
    const details = this.written.closest("details");
    if (details !== null && tree === null) details.open = true;
    if (tree === null) return;
    this.tree = tree;
    this.draw();
  }

  /** Write what is built, and let the page hear of it. */
  write() {
    const tree = writeTree(this.tree);
    this.written.value = tree === null ? "" : JSON.stringify(tree, null, 2);
    this.writing = true;
    this.written.dispatchEvent(new Event("input", { bubbles: true }));
    this.writing = false;
    this.placePaths();
  }

  draw() {
    this.place.replaceChildren(this.groupElement(this.tree, this.scope, null));
    this.placePaths();
    document.dispatchEvent(new Event("builder:drawn"));
  }

  /** Where each part stands in the written form, so that faults find it. */
  placePaths() {
    const paths = pathsOf(this.tree, this.path);
    for (const part of this.place.querySelectorAll("[data-node]")) {
      if (part instanceof HTMLElement) part.dataset["path"] = paths.get(Number(part.dataset["node"])) ?? "";
    }
  }

  /** Draw one row anew; the focus stays on the part where it was.
   * @param {Node} node */
  redraw(node) {
    const old = this.element(node.id);
    const focused = document.activeElement;
    const part = old?.contains(focused) && focused instanceof HTMLElement ? focused.dataset["part"] : undefined;
    const scope = old?.dataset["scope"] === "item" ? "item" : "event";
    old?.replaceWith(this.nodeElement(node, scope));
    this.write();
    document.dispatchEvent(new Event("builder:drawn"));
    if (part !== undefined) this.focus(node.id, part);
  }

  /** @param {number} id @returns {HTMLElement | null} */
  element(id) {
    return this.place.querySelector(`[data-node="${id}"]`);
  }

  /** @param {number} id @param {string} part */
  focus(id, part) {
    const found = this.element(id)?.querySelector(`[data-part="${part}"]`);
    if (found instanceof HTMLElement) found.focus();
  }

  /** @param {string} text */
  tell(text) {
    this.status.textContent = text;
  }

  /** @param {Node} node @param {Scope} scope @returns {HTMLElement} */
  nodeElement(node, scope) {
    const remove = () => this.remove(node);
    switch (node.kind) {
      case "leaf":
        return this.rows.leaf(node, scope, remove);
      case "group":
        return this.groupElement(node, scope, remove);
      case "items": {
        const word = choice(_("Which line items"), ITEMS_TEXTS, node.word, (chosen) => {
          node.word = ITEMS_TEXTS.find(([known]) => known === chosen)?.[0] ?? node.word;
          this.write();
        }, { "data-part": "word" });
        const head = el("div", { class: "head" }, word, el("span", { class: "muted" }, _("where")), removeButton(_("Remove the condition on line items"), remove));
        return el("div", box(node, scope, "items"), head, faults(), this.groupElement(node.group, "item", null));
      }
      case "measure": {
        const below = node.group === null
          ? button(_("Only some items"), { class: "small", "data-part": "add" }, () => this.narrow(node))
          : this.groupElement(node.group, "item", () => this.widen(node));
        return el("div", box(node, scope, "items"), this.rows.measure(node, remove), faults(), below);
      }
    }
  }

  /** @param {Group} node @param {Scope} scope @param {(() => void) | null} remove @returns {HTMLElement} */
  groupElement(node, scope, remove) {
    const word = choice(_("How these go together"), GROUP_WORDS, node.word, (chosen) => {
      node.word = GROUP_WORDS.find(([known]) => known === chosen)?.[0] ?? node.word;
      this.write();
    }, { "data-part": "word" });
    const list = el("ul", { class: "children" }, ...node.children.map((child) => el("li", {}, this.nodeElement(child, scope))));
    if (node.children.length === 0) list.append(el("li", { class: "muted small" }, remove === null && node === this.tree ? _("No condition: every event of these types.") : _("Nothing in it yet.")));
    const adds = ADDED.filter(([, , where]) => where === "both" || where === scope)
      .map(([kind, text]) => button(`+ ${text}`, { class: "small", "data-part": `add-${kind}` }, () => this.add(node, kind)));
    const head = el("div", { class: "head" }, word, ...(remove === null ? [] : [removeButton(_("Remove the group"), remove)]));
    return el("div", box(node, scope, "group"), head, faults(), list, el("div", { class: "adds" }, ...adds));
  }

  /** @param {Group} into @param {string} kind */
  add(into, kind) {
    const one = () => leaf("", "=", "");
    /** @type {{[kind: string]: () => Node}} */
    const made = {
      leaf: one,
      group: () => group(into.word === "any" ? "all" : "any", [one()], false),
      items: () => items("any_item", group("all", [one()])),
      measure: () => measure({ measure: "count", op: ">=", value: 2 }, null),
    };
    const node = (made[kind] ?? one)();
    into.children.push(node);
    this.draw();
    this.write();
    const first = this.element(node.id)?.querySelector("[role=combobox]") ?? this.element(node.id)?.querySelector("select");
    if (first instanceof HTMLElement) first.focus();
    const added = kind === "leaf" ? _("A condition is added.") : kind === "group" ? _("A group is added.") : _("A condition on line items is added.");
    this.tell([added, _("In this group: %(number)s.", { number: into.children.length })].join(" "));
  }

  /** @param {Node} node */
  remove(node) {
    const found = placeOf(this.tree, node.id);
    if (found === null) return;
    found.group.children.splice(found.place, 1);
    this.draw();
    this.write();
    const next = found.group.children[found.place] ?? found.group.children[found.place - 1];
    if (next !== undefined) this.focus(next.id, next.kind === "leaf" ? "field" : "word");
    else this.focus(found.group.id, "add-leaf");
    this.tell(_("Removed; left in this group: %(number)s.", { number: found.group.children.length }));
  }

  /** @param {import("./model.js").Measure} node */
  narrow(node) {
    node.group = group("all", [leaf("", "=", "")]);
    this.draw();
    this.write();
    this.focus(node.group.id, "field");
  }

  /** @param {import("./model.js").Measure} node */
  widen(node) {
    node.group = null;
    this.draw();
    this.write();
    this.focus(node.id, "add");
  }
}

/** @param {Node} node @param {Scope} scope @param {string} kind */
function box(node, scope, kind) {
  return { class: `node ${kind}`, role: "group", "aria-label": kind === "group" ? _("Group of conditions") : _("Line items"), "data-node": String(node.id), "data-scope": scope };
}

/** @returns {HTMLElement} Where faults of a part are told. */
function faults() {
  return el("div", { class: "node-faults" });
}

/** Build beside each written form of the page; without an answer the written form stays what it is. */
async function start() {
  for (const host of document.querySelectorAll("[data-builder]")) {
    if (!(host instanceof HTMLElement)) continue;
    const written = document.getElementById(host.dataset["builder"] ?? "");
    if (!(written instanceof HTMLTextAreaElement)) continue;
    const language = await languageAt(host.dataset["language"] ?? "").catch(() => null);
    if (language === null) return;
    const details = written.closest("details");
    if (details !== null) details.open = false;
    new Builder(host, written, language);
    host.dataset["built"] = "";
  }
}

void start();

// @ts-check
/** A tree of conditions as the builder edits it, and its written form. What is read and not changed is written exactly as it was. */

/** @typedef {null | boolean | number | string | JsonList | JsonObject} Json */
/** @typedef {{[name: string]: Json}} JsonObject */
/** @typedef {Array<Json>} JsonList */
/** @typedef {"all" | "any" | "none"} GroupWord */
/** @typedef {"any_item" | "all_items" | "no_item"} ItemsWord */
/** @typedef {"event" | "item"} Scope */

/** A comparison; `json` is its written form, changed in place.
 * @typedef {{kind: "leaf", id: number, json: JsonObject}} Leaf */
/** Conditions together. `bare`: with one condition it is written as that condition alone.
 * @typedef {{kind: "group", id: number, word: GroupWord, bare: boolean, children: Node[]}} Group */
/** Conditions on line items.
 * @typedef {{kind: "items", id: number, word: ItemsWord, group: Group}} Items */
/** A number made of line items, compared; `json` is its written form but for the items, which `group` has (null: all of them).
 * @typedef {{kind: "measure", id: number, json: JsonObject, group: Group | null}} Measure */
/** @typedef {Leaf | Group | Items | Measure} Node */

export const ITEMS_WORDS = /** @type {const} */ (["any_item", "all_items", "no_item"]);

let newest = 0;

/** @returns {number} A number that no other node of this page has. */
function fresh() {
  newest += 1;
  return newest;
}

/** @param {string} field @param {string} op @param {Json} [value] @returns {Leaf} */
export function leaf(field, op, value) {
  return { kind: "leaf", id: fresh(), json: value === undefined ? { field, op } : { field, op, value } };
}

/** @param {GroupWord} word @param {Node[]} children @param {boolean} bare @returns {Group} */
export function group(word, children = [], bare = true) {
  return { kind: "group", id: fresh(), word, bare, children };
}

/** @param {ItemsWord} word @param {Group} inner @returns {Items} */
export function items(word, inner) {
  return { kind: "items", id: fresh(), word, group: inner };
}

/** @param {JsonObject} json @param {Group | null} inner @returns {Measure} */
export function measure(json, inner) {
  return { kind: "measure", id: fresh(), json, group: inner };
}

/** @param {unknown} json @returns {json is JsonObject} */
function isObject(json) {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** The whole tree, as a group; null for what is none that the builder knows.
 * @param {Json} json @returns {Group | null} */
export function readTree(json) {
  if (json === null) return group("all");
  const node = readNode(json);
  return node === null ? null : asGroup(node);
}

/** @param {Json} json @returns {Node | null} */
function readNode(json) {
  if (!isObject(json)) return null;
  if ("field" in json) return { kind: "leaf", id: fresh(), json: structuredClone(json) };
  if ("measure" in json) return readMeasure(json);
  const [word, ...more] = Object.keys(json);
  if (word === undefined || more.length > 0) return null;
  const below = json[word] ?? null;
  if (word === "all" || word === "any") return readGroup(word, below);
  if (word === "not") return readNone(below);
  const itemsWord = ITEMS_WORDS.find((known) => known === word);
  if (itemsWord === undefined) return null;
  const inner = readNode(below);
  return inner === null ? null : items(itemsWord, asGroup(inner));
}

/** @param {GroupWord} word @param {Json} below @returns {Group | null} */
function readGroup(word, below) {
  if (!Array.isArray(below)) return null;
  /** @type {Node[]} */
  const children = [];
  for (const part of below) {
    const child = readNode(part);
    if (child === null) return null;
    children.push(child);
  }
  return group(word, children, false);
}

/** @param {Json} below @returns {Group | null} */
function readNone(below) {
  if (isObject(below) && Object.keys(below).length === 1 && "any" in below) return readGroup("none", below["any"] ?? null);
  const child = readNode(below);
  return child === null ? null : group("none", [child], true);
}

/** @param {JsonObject} json @returns {Measure | null} */
function readMeasure(json) {
  const own = structuredClone(json);
  if (json["items"] === undefined || json["items"] === null) return measure(own, null);
  const inner = readNode(json["items"]);
  delete own["items"];
  return inner === null ? null : measure(own, asGroup(inner));
}

/** @param {Node} node @returns {Group} */
function asGroup(node) {
  return node.kind === "group" ? node : group("all", [node], true);
}

/** The written form; null: no condition at all.
 * @param {Group} tree @returns {Json} */
export function writeTree(tree) {
  return tree.children.length === 0 ? null : writeNode(tree);
}

/** @param {Node} node @returns {Json} */
function writeNode(node) {
  switch (node.kind) {
    case "leaf":
      return node.json;
    case "items":
      return { [node.word]: writeNode(node.group) };
    case "measure":
      return node.group === null ? node.json : { ...node.json, items: writeNode(node.group) };
    case "group": {
      const children = node.children.map(writeNode);
      const [only] = children;
      if (node.bare && children.length === 1 && only !== undefined) return node.word === "none" ? { not: only } : only;
      return node.word === "none" ? { not: { any: children } } : { [node.word]: children };
    }
  }
}

/** Where each node stands in the written form, as the API names it: `conditions.all[1]`.
 * @param {Node} node @param {string} path @param {Map<number, string>} [found] @returns {Map<number, string>} */
export function pathsOf(node, path, found = new Map()) {
  found.set(node.id, path);
  if (node.kind === "items") pathsOf(node.group, `${path}.${node.word}`, found);
  if (node.kind === "measure" && node.group !== null) pathsOf(node.group, `${path}.items`, found);
  if (node.kind === "group") {
    const alone = node.bare && node.children.length === 1;
    const below = node.word === "none" ? (alone ? `${path}.not` : `${path}.not.any`) : alone ? path : `${path}.${node.word}`;
    for (const [place, child] of node.children.entries()) pathsOf(child, alone ? below : `${below}[${place}]`, found);
  }
  return found;
}

/** Where a node hangs: the group that has it, and at which place.
 * @param {Node} tree @param {number} id @returns {{group: Group, place: number} | null} */
export function placeOf(tree, id) {
  if (tree.kind === "leaf") return null;
  if (tree.kind !== "group") return tree.group === null ? null : placeOf(tree.group, id);
  for (const [place, child] of tree.children.entries()) {
    if (child.id === id) return { group: tree, place };
    const below = placeOf(child, id);
    if (below !== null) return below;
  }
  return null;
}

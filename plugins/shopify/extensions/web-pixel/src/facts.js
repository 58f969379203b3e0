// @ts-check
/*
 * What the pixel tells of an event: which cart, checkout or order it is about, the click that the visitor came by, and what they allow. Never an
 * amount, a name or an address: whoever may post here could write anything, so that orders are known by signed webhooks alone.
 */

/** @typedef {{ kind: string, id: string, clicked_at: string | null }} Click */
/** @typedef {Record<string, unknown>} Privacy */

/**
 * The body of `POST /collect`, as docs/decisions/0054-the-shopify-app.md has it.
 * @typedef {object} Facts
 * @property {string} site the site's public key
 * @property {string} event Shopify's name of the event
 * @property {string | null} cart_token
 * @property {string | null} checkout_token
 * @property {string | null} order_id
 * @property {Click[]} clicks best first
 * @property {Privacy} consent what Shopify's Customer Privacy API says, whole
 * @property {string} at when it happened, ISO 8601
 */

export const KINDS = ['gclid', 'gbraid', 'wbraid'];
export const KEPT = 'custom_events_click'; // where click-capture.js keeps a click
const PREFIX = 'custom_events_';
const LONGEST_ID = 512;
const OLDEST_MS = 90 * 86_400_000; // Google takes no older click

/**
 * The token of a cart: the end of its gid, without what Shopify appends to it.
 * @param {unknown} id
 * @returns {string | null}
 */
export function cartToken(id) {
  const found = typeof id === 'string' ? /([^/?]+)(?:\?.*)?$/.exec(id) : null;
  return found?.[1] ?? null;
}

/**
 * The number of an order, which comes as a number in a text or as a gid; never through a JavaScript number, which has no room for all of them.
 * @param {unknown} id
 * @returns {string | null}
 */
export function orderId(id) {
  const found = typeof id === 'string' ? /(?:^|\/)(\d{1,20})(?:\?.*)?$/.exec(id) : null;
  return found?.[1] ?? null;
}

/**
 * Clicks in the query of a page.
 * @param {string} search
 * @param {string} at when the page was opened
 * @returns {Click[]}
 */
export function clicksOfPage(search, at) {
  const query = new URLSearchParams(search);
  return KINDS.flatMap((kind) => {
    const id = query.get(kind);
    return id ? [{ kind, id: id.slice(0, LONGEST_ID), clicked_at: at }] : [];
  });
}

/**
 * Clicks that the theme's script has kept (`click-capture.js`), unless they are too old by now.
 * @param {string | null | undefined} text
 * @param {number} now milliseconds
 * @returns {Click[]}
 */
export function clicksKept(text, now) {
  let kept;
  try {
    kept = JSON.parse(text || 'null');
  } catch {
    return [];
  }
  const at = kept && typeof kept.clicked_at === 'string' ? kept.clicked_at : null;
  const age = at === null ? NaN : now - Date.parse(at);
  if (!(age <= OLDEST_MS)) {
    return [];
  }
  return KINDS.flatMap((kind) =>
    typeof kept[kind] === 'string' && kept[kind] ? [{ kind, id: kept[kind].slice(0, LONGEST_ID), clicked_at: at }] : [],
  );
}

/**
 * Clicks among the attributes of a checkout.
 * @param {readonly { key: string, value: string }[] | null | undefined} attributes
 * @returns {Click[]}
 */
export function clicksOfCheckout(attributes) {
  const values = new Map((attributes || []).map((each) => [each.key, each.value]));
  const at = values.get(`${PREFIX}clicked_at`) || null;
  return KINDS.flatMap((kind) => {
    const id = values.get(PREFIX + kind);
    return id ? [{ kind, id: id.slice(0, LONGEST_ID), clicked_at: at }] : [];
  });
}

/**
 * Each click once, the first of its kind and id.
 * @param {Click[]} clicks
 * @returns {Click[]}
 */
export function each(clicks) {
  return clicks.filter((click, place) => clicks.findIndex((other) => other.kind === click.kind && other.id === click.id) === place);
}

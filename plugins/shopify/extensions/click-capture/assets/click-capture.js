// @ts-check
/*
 * Keeps the id of an ad click, with its time and landing page, and what the visitor allows (Shopify's Customer Privacy API), in the attributes
 * of the cart, from where it is on the order. Nothing is kept before marketing is allowed, and all of it goes when it is denied.
 * One file for a theme app extension: no framework, no import, no request to anybody but the shop.
 */
(function () {
  'use strict';

  /** @typedef {{ marketing: boolean, sale: boolean, analytics: boolean }} Consent */
  /** @typedef {Record<string, string>} Texts */

  const KINDS = ['gclid', 'gbraid', 'wbraid'];
  const UTM = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term', 'utm_id'];
  const PREFIX = 'custom_events_'; // of our attributes; other apps write `gclid` as well
  const KEPT = 'custom_events_click'; // where the browser keeps a click; the pixel reads it
  const WRITTEN = 'custom_events_written'; // what this tab has written into the cart
  const LONGEST = { id: 512, word: 100, page: 250 };
  const DAY_MS = 86_400_000;
  const CONSENTS = ['ad_user_data', 'ad_storage', 'ad_personalization'];
  const SOURCE = 'shopify_customer_privacy';
  const CHECKOUT = '[name="checkout"], a[href*="/checkout"], form[action*="/checkout"], .shopify-payment-button';

  const days = Number(document.currentScript?.dataset['customEventsDays']) || 90;
  /** @type {any} */
  const shopify = /** @type {any} */ (window).Shopify || {};
  const root = (shopify.routes && shopify.routes.root) || '/';

  /** @type {Consent | null} */
  let consent = null; // null: nobody has said
  /** @type {Texts | null} */
  let arrived = click(); // by which this page was opened
  /** @type {Promise<void>} */
  let line = Promise.resolve(); // one change of the cart after the other

  /** The click in this page's address; null: there is none. @returns {Texts | null} */
  function click() {
    const query = new URLSearchParams(window.location.search);
    /** @type {Texts} */
    const texts = {};
    const kept = new URLSearchParams();
    for (const name of [...KINDS, ...UTM]) {
      const value = query.get(name);
      if (value) {
        texts[name] = value.slice(0, KINDS.includes(name) ? LONGEST.id : LONGEST.word);
        kept.set(name, texts[name]);
      }
    }
    if (!KINDS.some((name) => texts[name])) {
      return null;
    }
    texts['clicked_at'] = new Date().toISOString();
    // Of the query only what is known: others write e-mail addresses into theirs.
    texts['landing_page'] = `${window.location.pathname}?${kept}`.slice(0, LONGEST.page);
    return texts;
  }

  /** @param {Storage | undefined} storage @param {string} key */
  function read(storage, key) {
    try {
      const text = storage && storage.getItem(key);
      return text ? JSON.parse(text) : null;
    } catch {
      return null; // storage that is not there, or holds what we did not write
    }
  }

  /** @param {() => Storage} storage @param {string} key @param {unknown} value null: forget it */
  function keep(storage, key, value) {
    try {
      if (value === null) {
        storage().removeItem(key);
      } else {
        storage().setItem(key, JSON.stringify(value));
      }
    } catch {
      // Full, or forbidden by the browser: the cart still has it.
    }
  }

  /** @returns {Storage | undefined} */
  function local() {
    try {
      return window.localStorage;
    } catch {
      return undefined;
    }
  }

  /** The click that is to go with the cart; only what is young enough. @returns {Texts} */
  function known() {
    const kept = read(local(), KEPT);
    const at = kept && Date.parse(kept['clicked_at']);
    if (!at || Date.now() - at > days * DAY_MS) {
      return {};
    }
    return kept;
  }

  /** Every attribute of ours as it is wanted; "" takes one away. @returns {Texts} */
  function wanted() {
    const allowed = consent !== null && consent.marketing;
    const texts = allowed ? known() : {};
    /** @type {Texts} */
    const attributes = {};
    for (const name of [...KINDS, ...UTM, 'clicked_at', 'landing_page']) {
      attributes[PREFIX + name] = texts[name] || '';
    }
    for (const name of CONSENTS) {
      const granted = allowed && (name !== 'ad_personalization' || (consent !== null && consent.sale));
      attributes[`${PREFIX}consent_${name}`] = consent === null ? '' : granted ? 'granted' : 'denied';
    }
    attributes[`${PREFIX}consent_source`] = consent === null ? '' : SOURCE;
    return attributes;
  }

  /**
   * Lay the cart's attributes beside what is wanted, and write what differs. `always`: also where this tab has written the same before, since
   * another app may have replaced the whole set, and a finished cart is followed by an empty one.
   * @param {boolean} always
   */
  function settle(always) {
    line = line.then(() => compare(always)).catch(() => undefined); // the next page tries again
    return line;
  }

  /** @param {boolean} always */
  async function compare(always) {
    const attributes = wanted();
    const signature = JSON.stringify(attributes);
    const session = () => window.sessionStorage;
    if (!always && read(safely(session), WRITTEN) === signature) {
      return;
    }
    const cart = await (await fetch(`${root}cart.js`, { headers: { Accept: 'application/json' }, keepalive: true })).json();
    /** @type {Texts} */
    const there = cart.attributes || {};
    const changed = Object.entries(attributes).filter(([name, value]) => (there[name] || '') !== value);
    if (changed.length) {
      const answer = await fetch(`${root}cart/update.js`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify({ attributes: Object.fromEntries(changed) }),
        keepalive: true, // it goes on when the page is left
      });
      if (!answer.ok) {
        return;
      }
    }
    keep(session, WRITTEN, signature);
  }

  /** @param {() => Storage} storage */
  function safely(storage) {
    try {
      return storage();
    } catch {
      return undefined;
    }
  }

  /** What the visitor allows has become known, or has changed. */
  function decide() {
    const api = shopify.customerPrivacy;
    if (!api || typeof api.marketingAllowed !== 'function') {
      return; // nobody has said: it is unknown, never granted
    }
    consent = { marketing: api.marketingAllowed(), sale: api.saleOfDataAllowed(), analytics: api.analyticsProcessingAllowed() };
    if (!consent.marketing) {
      keep(() => window.localStorage, KEPT, null);
    } else if (arrived) {
      keep(() => window.localStorage, KEPT, arrived);
      arrived = null;
    }
    void settle(false);
  }

  /** Before the visitor goes to pay: they point at, or reach with the keyboard, what leads there. @param {Event} event */
  function beforeCheckout(event) {
    const target = event.target;
    if (consent !== null && target instanceof Element && target.closest(CHECKOUT)) {
      void settle(true);
    }
  }

  document.addEventListener('visitorConsentCollected', decide);
  document.addEventListener('shopify:cart:attributes-update', () => {
    if (consent !== null) {
      void settle(true); // another app has written: perhaps the whole set
    }
  });
  for (const name of ['pointerdown', 'focusin', 'submit']) {
    document.addEventListener(name, beforeCheckout, { capture: true, passive: true });
  }
  if (typeof shopify.loadFeatures === 'function') {
    shopify.loadFeatures([{ name: 'consent-tracking-api', version: '0.1' }], (/** @type {unknown} */ error) => {
      if (!error) {
        decide();
      }
    });
  } else {
    decide();
  }
})();

// @ts-check
/*
 * The web pixel: tells the receiver which click and which consent belong to a cart, a checkout or an order. "Buy it now" skips the cart and so its
 * attributes; this is where their click still comes from. It runs in Shopify's sandbox, which has neither a page nor a cookie of its own.
 */
import { register } from '@shopify/web-pixels-extension';

import { cartToken, clicksKept, clicksOfCheckout, clicksOfPage, each, KEPT, orderId } from './facts.js';

/** @typedef {import('./facts.js').Click} Click */
/** @typedef {import('./facts.js').Facts} Facts */

register((api) => {
  const { analytics, browser, customerPrivacy, init, settings } = api;
  /** @type {import('./facts.js').Privacy} */
  let consent = { ...init.customerPrivacy };
  /** @type {Click[]} */
  let arrived = [];
  /** @type {Facts | null} */
  let last = null; // told last: said again when the answer about consent changes

  const allowed = () => consent['marketingAllowed'] === true;

  /** @param {Facts} facts */
  async function tell(facts) {
    last = facts;
    const body = JSON.stringify(facts);
    // As text/plain, which needs no question before it: the sandbox's origin is null.
    const taken = await browser.sendBeacon(settings['collectUrl'], body).catch(() => false);
    if (!taken) {
      await fetch(settings['collectUrl'], { method: 'POST', body, keepalive: true, mode: 'no-cors', credentials: 'omit' }).catch(() => undefined);
    }
  }

  /** @returns {Promise<Click[]>} */
  async function kept() {
    const text = await browser.localStorage.getItem(KEPT).catch(() => null);
    return clicksKept(text, Date.now());
  }

  /**
   * @param {string} name
   * @param {string} at
   * @param {Partial<Facts>} about
   * @param {Click[]} clicks
   */
  async function report(name, at, about, clicks) {
    if (!allowed()) {
      return;
    }
    const all = each([...clicks, ...arrived, ...(await kept())]);
    await tell({
      site: settings['siteKey'],
      event: name,
      cart_token: cartToken(init.data.cart?.id),
      checkout_token: null,
      order_id: null,
      ...about,
      clicks: all,
      consent,
      at,
    });
  }

  analytics.subscribe('page_viewed', (event) => {
    const clicks = clicksOfPage(event.context.document.location.search, event.timestamp);
    if (clicks.length) {
      arrived = clicks;
    }
  });
  analytics.subscribe('cart_viewed', (event) => {
    const token = cartToken(event.data.cart?.id);
    if (token !== null) {
      void report(event.name, event.timestamp, { cart_token: token }, []);
    }
  });
  analytics.subscribe('checkout_started', (event) => {
    const checkout = event.data.checkout;
    void report(event.name, event.timestamp, { checkout_token: checkout.token ?? null }, clicksOfCheckout(checkout.attributes));
  });
  analytics.subscribe('checkout_completed', (event) => {
    const checkout = event.data.checkout;
    const about = { checkout_token: checkout.token ?? null, order_id: orderId(checkout.order?.id) };
    void report(event.name, event.timestamp, about, clicksOfCheckout(checkout.attributes));
  });
  customerPrivacy.subscribe('visitorConsentCollected', (event) => {
    consent = { ...event.customerPrivacy };
    if (last !== null) {
      // Told of before: what the visitor allows now, and without the click where they take it back.
      void tell({ ...last, event: 'consent_changed', clicks: allowed() ? last.clicks : [], consent, at: new Date().toISOString() });
    }
  });
});

// The web pixel in Shopify's sandbox, by the package that Shopify's command line bundles with it.
import assert from 'node:assert/strict';
import test from 'node:test';

import { settled } from './shop.mjs';
import { cartToken, clicksKept, clicksOfCheckout, clicksOfPage, orderId } from '../extensions/web-pixel/src/facts.js';

let extend;
globalThis.shopify = { extend: (point, made) => { assert.equal(point, 'WebPixel::Render'); extend = made; } };
await import('../extensions/web-pixel/src/index.js');

const ALLOWED = { analyticsProcessingAllowed: true, marketingAllowed: true, preferencesProcessingAllowed: true, saleOfDataAllowed: true };
const AT = '2026-11-01T12:00:00.000Z';

/** A visit: `fire` tells the pixel of an event; `told` is what it has posted. */
function visit({ consent = ALLOWED, kept = null, beacon = true, cart = { id: 'gid://shopify/Cart/cart1?key=x' } } = {}) {
  const listeners = {};
  const told = [];
  let asked;
  globalThis.fetch = async (url, options) => { told.push({ url, ...JSON.parse(options.body), by: 'fetch', mode: options.mode }); };
  extend({
    settings: { siteKey: 'site_key_1', collectUrl: 'https://events.example/collect' },
    init: { customerPrivacy: consent, data: { cart }, context: {} },
    analytics: { subscribe: (name, listener) => { listeners[name] = listener; } },
    customerPrivacy: { subscribe: (_name, listener) => { asked = listener; } },
    browser: {
      localStorage: { getItem: async () => { if (kept === 'forbidden') throw new Error('no'); return kept; } },
      sendBeacon: async (url, body) => { if (beacon === 'throws') throw new Error('no'); if (beacon) told.push({ url, ...JSON.parse(body) }); return beacon; },
    },
  });
  return {
    told,
    fire: async (name, data, search = '') => {
      listeners[name]({ name, timestamp: AT, data, context: { document: { location: { search } } } });
      await settled();
    },
    answer: async (privacy) => { asked({ customerPrivacy: { ...ALLOWED, ...privacy } }); await settled(); },
  };
}

const CHECKOUT = { token: 'chk1', attributes: [], order: { id: '820982911946154508', customer: { id: '9' } }, email: 'ann@example.org', totalPrice: { amount: 99.5 } };

test('a finished checkout is told with its tokens, click and consent, and nothing of money or people', async () => {
  const pixel = visit();
  await pixel.fire('page_viewed', {}, '?gclid=Cj0K&utm_source=google');
  await pixel.fire('checkout_completed', { checkout: CHECKOUT });
  assert.deepEqual(pixel.told, [{
    url: 'https://events.example/collect',
    site: 'site_key_1',
    event: 'checkout_completed',
    cart_token: 'cart1',
    checkout_token: 'chk1',
    order_id: '820982911946154508',
    clicks: [{ kind: 'gclid', id: 'Cj0K', clicked_at: AT }],
    consent: ALLOWED,
    at: AT,
  }]);
});

test('a checkout that begins and a cart that is looked at are told of; other pages are not', async () => {
  const pixel = visit({ cart: null });
  await pixel.fire('page_viewed', {}, '?q=lamp');
  await pixel.fire('cart_viewed', { cart: null });
  await pixel.fire('cart_viewed', { cart: { id: 'gid://shopify/Cart/cart2' } });
  await pixel.fire('checkout_started', { checkout: { ...CHECKOUT, token: undefined, order: null } });
  assert.deepEqual(pixel.told.map((each) => [each.event, each.cart_token, each.checkout_token, each.order_id]), [
    ['cart_viewed', 'cart2', null, null],
    ['checkout_started', null, null, null],
  ]);
});

test('clicks come from the checkout, this page and what the theme kept, each once and the best first', async () => {
  const kept = JSON.stringify({ gclid: 'Cj0K', wbraid: 'W', clicked_at: new Date(Date.now() - 1000).toISOString() });
  const pixel = visit({ kept });
  await pixel.fire('page_viewed', {}, '?gbraid=G');
  const attributes = [{ key: 'custom_events_gclid', value: 'Cj0K' }, { key: 'gift', value: 'x' }];
  await pixel.fire('checkout_completed', { checkout: { ...CHECKOUT, attributes } });
  assert.deepEqual(pixel.told[0].clicks.map((each) => `${each.kind}=${each.id}`), ['gclid=Cj0K', 'gbraid=G', 'wbraid=W']);
  assert.equal(pixel.told[0].clicks[0].clicked_at, null);
});

test('nothing is told where marketing is not allowed', async () => {
  const pixel = visit({ consent: { ...ALLOWED, marketingAllowed: false } });
  await pixel.fire('checkout_completed', { checkout: CHECKOUT });
  assert.deepEqual(pixel.told, []);
  await pixel.answer({ marketingAllowed: true, firstPartyMarketingAllowed: true });
  await pixel.fire('checkout_completed', { checkout: CHECKOUT });
  assert.equal(pixel.told[0].consent.firstPartyMarketingAllowed, true);
});

test('an answer that changes later is told for what was told before, without the click', async () => {
  const pixel = visit();
  await pixel.fire('page_viewed', {}, '?gclid=Cj0K');
  await pixel.fire('checkout_started', { checkout: CHECKOUT });
  await pixel.answer({ marketingAllowed: false });
  const [, changed] = pixel.told;
  assert.deepEqual([changed.event, changed.checkout_token, changed.clicks], ['consent_changed', 'chk1', []]);
  assert.equal(changed.consent.marketingAllowed, false);
});

test('where the beacon is not taken the same goes by fetch, without an answer', async () => {
  for (const beacon of [false, 'throws']) {
    const pixel = visit({ beacon, kept: 'forbidden' });
    await pixel.fire('checkout_completed', { checkout: CHECKOUT });
    assert.deepEqual([pixel.told.length, pixel.told[0].by, pixel.told[0].mode], [1, 'fetch', 'no-cors']);
  }
});

test('ids are read from text alone', () => {
  assert.equal(orderId('gid://shopify/OrderIdentity/820982911946154508'), '820982911946154508');
  assert.equal(orderId('820982911946154508'), '820982911946154508');
  for (const id of [null, undefined, 820982911946154508n, 5, '', 'abc', 'gid://shopify/Order/']) {
    assert.equal(orderId(id), null);
  }
  assert.equal(cartToken('gid://shopify/Cart/hWN?key=s'), 'hWN');
  assert.equal(cartToken(null), null);
});

test('clicks that are too old, odd or none are left out', () => {
  const now = Date.parse(AT);
  const kept = (at, rest) => clicksKept(JSON.stringify({ clicked_at: at, ...rest }), now);
  assert.equal(kept('2026-10-31T00:00:00Z', { gclid: 'a' }).length, 1);
  assert.deepEqual(kept('2026-07-01T00:00:00Z', { gclid: 'a' }), []);
  assert.deepEqual(kept('never', { gclid: 'a' }), []);
  assert.deepEqual(kept(5, { gclid: 'a' }), []);
  assert.deepEqual(kept(AT, { gclid: 5, gbraid: '' }), []);
  for (const text of ['{', 'null', '5', null, undefined]) {
    assert.deepEqual(clicksKept(text, now), []);
  }
  assert.equal(clicksOfPage(`?gclid=${'a'.repeat(999)}`, AT)[0].id.length, 512);
  assert.deepEqual(clicksOfCheckout(null), []);
});

// The theme's script: when a click is kept, what is on the cart, and what happens when the visitor says no.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Element, Shop } from './shop.mjs';

const LANDING = '/de/products/lamp?gclid=Cj0K_abc&gbraid=0AAA&utm_source=google&email=ann%40example.org';
const ATTRIBUTES = {
  custom_events_gclid: 'Cj0K_abc',
  custom_events_gbraid: '0AAA',
  custom_events_clicked_at: '2026-11-01T12:00:00.000Z',
  custom_events_landing_page: '/de/products/lamp?gclid=Cj0K_abc&gbraid=0AAA&utm_source=google',
  custom_events_utm_source: 'google',
  custom_events_consent_ad_user_data: 'granted',
  custom_events_consent_ad_storage: 'granted',
  custom_events_consent_ad_personalization: 'granted',
  custom_events_consent_source: 'shopify_customer_privacy',
};
const DENIED = {
  custom_events_consent_ad_user_data: 'denied',
  custom_events_consent_ad_storage: 'denied',
  custom_events_consent_ad_personalization: 'denied',
  custom_events_consent_source: 'shopify_customer_privacy',
};

test('a click goes into the cart where marketing is allowed, without anything else of the address', async () => {
  const shop = new Shop({ allowed: true, root: '/de/' });
  await shop.open(LANDING);
  assert.deepEqual(shop.attributes, ATTRIBUTES);
  assert.deepEqual(shop.requests, ['GET /de/cart.js', 'POST /de/cart/update.js']);
});

test('the cart is written once, not on each page', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING);
  shop.requests = [];
  await shop.open('/collections/all');
  assert.deepEqual(shop.requests, []);
  assert.deepEqual(shop.attributes, ATTRIBUTES);
});

test('nothing is kept or asked before anybody has said', async () => {
  const shop = new Shop();
  await shop.open(LANDING);
  await shop.fire('pointerdown', { target: new Element(true) });
  await shop.fire('shopify:cart:attributes-update');
  assert.deepEqual(shop.requests, []);
  assert.equal(shop.local.values.size, 0);
});

test('an answer that comes later lets the click of this page go along', async () => {
  const shop = new Shop();
  await shop.open(LANDING);
  shop.allowed = true;
  await shop.fire('visitorConsentCollected', { detail: {} });
  assert.deepEqual(shop.attributes, ATTRIBUTES);
});

test('a no takes everything back, and says so on the cart', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING);
  shop.attributes.gift = 'yes';
  shop.allowed = false;
  await shop.fire('visitorConsentCollected', {});
  assert.deepEqual(shop.attributes, { gift: 'yes', ...DENIED });
  assert.equal(shop.local.getItem('custom_events_click'), null);
  await shop.open('/');
  assert.deepEqual(shop.attributes, { gift: 'yes', ...DENIED });
});

test('who sells no data of theirs has no personalisation', async () => {
  const shop = new Shop({ allowed: true, sale: false });
  await shop.open('/');
  assert.equal(shop.attributes.custom_events_consent_ad_user_data, 'granted');
  assert.equal(shop.attributes.custom_events_consent_ad_personalization, 'denied');
});

test('before checkout the cart is looked at again: another app has replaced the whole set', async () => {
  for (const event of ['pointerdown', 'focusin', 'submit']) {
    const shop = new Shop({ allowed: true });
    await shop.open(LANDING);
    shop.attributes = { theirs: '1' };
    await shop.fire(event, { target: new Element(false) });
    await shop.fire(event, { target: null });
    assert.deepEqual(shop.attributes, { theirs: '1' });
    await shop.fire(event, { target: new Element(true) });
    assert.deepEqual(shop.attributes, { theirs: '1', ...ATTRIBUTES });
  }
});

test('an update of another app is looked at at once', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING);
  shop.attributes = {};
  await shop.fire('shopify:cart:attributes-update');
  assert.deepEqual(shop.attributes, ATTRIBUTES);
});

test('where nothing differs nothing is written', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING);
  shop.requests = [];
  await shop.fire('pointerdown', { target: new Element(true) });
  assert.deepEqual(shop.requests, ['GET /cart.js']);
});

test('a new click takes the place of the one before, an old one goes', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING);
  shop.now += 86_400_000;
  await shop.open('/?wbraid=Clk');
  assert.equal(shop.attributes.custom_events_wbraid, 'Clk');
  assert.equal(shop.attributes.custom_events_gclid, undefined);
  assert.equal(shop.attributes.custom_events_utm_source, undefined);
  shop.now += 31 * 86_400_000;
  await shop.open('/', { days: '30' });
  assert.equal(shop.attributes.custom_events_wbraid, undefined);
  assert.equal(shop.attributes.custom_events_consent_ad_user_data, 'granted');
});

test('what is too long is cut', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(`/?gclid=${'a'.repeat(2000)}&utm_source=${'b'.repeat(2000)}`);
  assert.equal(shop.attributes.custom_events_gclid.length, 512);
  assert.equal(shop.attributes.custom_events_utm_source.length, 100);
  assert.equal(shop.attributes.custom_events_landing_page.length, 250);
});

test('a shop that cannot be reached, or refuses, is asked again by the next page', async () => {
  const shop = new Shop({ allowed: true });
  shop.fails = true;
  await shop.open(LANDING);
  shop.fails = false;
  shop.refuses = true;
  await shop.open('/cart');
  assert.deepEqual(shop.attributes, {});
  shop.refuses = false;
  await shop.open('/cart');
  assert.equal(shop.attributes.custom_events_gclid, 'Cj0K_abc');
});

test('storage that is forbidden or holds something else breaks nothing', async () => {
  const forbidden = new Shop({ allowed: true, storage: 'forbidden' });
  await forbidden.open(LANDING);
  assert.equal(forbidden.attributes.custom_events_consent_ad_storage, 'granted');
  const odd = new Shop({ allowed: true });
  odd.local.setItem('custom_events_click', '{"gclid":');
  odd.session.setItem('custom_events_written', '5');
  await odd.open('/');
  assert.equal(odd.attributes.custom_events_gclid, undefined);
});

test('without the way to load the API, or where that fails, what is there counts', async () => {
  const shop = new Shop({ allowed: true });
  await shop.open(LANDING, { loads: false });
  assert.equal(shop.attributes.custom_events_gclid, 'Cj0K_abc');
  const failed = new Shop({ allowed: true });
  await failed.open(LANDING, { loads: 'error' });
  assert.deepEqual(failed.requests, []);
});

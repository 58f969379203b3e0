// A shop's page as the theme's script sees it: address, cart, storage, Shopify's consent; and what the script asked of the shop.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const SCRIPT = readFileSync(new URL('../extensions/click-capture/assets/click-capture.js', import.meta.url), 'utf8');

class Store {
  constructor(values = {}) {
    this.values = new Map(Object.entries(values));
  }
  getItem(key) {
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    this.values.set(key, String(value));
  }
  removeItem(key) {
    this.values.delete(key);
  }
}

export class Element {
  constructor(isCheckout) {
    this.isCheckout = isCheckout;
  }
  closest() {
    return this.isCheckout ? this : null;
  }
}

export class Shop {
  /** `allowed`: marketing, by the visitor's answer; undefined: nobody has said, and the API is not there yet. */
  constructor({ allowed, sale = true, root = '/', storage = 'there' } = {}) {
    this.attributes = {};
    this.requests = [];
    this.fails = false;
    this.now = Date.parse('2026-11-01T12:00:00Z');
    this.local = new Store();
    this.session = new Store();
    this.storage = storage;
    this.allowed = allowed;
    this.sale = sale;
    this.root = root;
  }

  get privacy() {
    if (this.allowed === undefined) {
      return undefined;
    }
    return { marketingAllowed: () => this.allowed, saleOfDataAllowed: () => this.sale, analyticsProcessingAllowed: () => this.allowed };
  }

  /** Open a page; what the script does at once is done when this resolves. */
  async open(address, { days = '90', loads = true } = {}) {
    const listeners = new Map();
    this.fire = async (name, event = {}) => {
      for (const listener of listeners.get(name) ?? []) {
        listener(event);
      }
      await settled();
    };
    const shop = this;
    const shopify = { routes: { root: this.root } };
    Object.defineProperty(shopify, 'customerPrivacy', { get: () => shop.privacy });
    if (loads) {
      shopify.loadFeatures = (features, done) => done(loads === 'error' ? new Error('no') : undefined);
    }
    const window = { location: new URL(address, 'https://shop.example'), Shopify: shopify };
    for (const [name, store] of [['localStorage', this.local], ['sessionStorage', this.session]]) {
      Object.defineProperty(window, name, {
        get: () => {
          if (this.storage === 'forbidden') {
            throw new Error('SecurityError');
          }
          return store;
        },
      });
    }
    const DateThen = class extends Date {
      constructor(...values) {
        super(...(values.length ? values : [shop.now]));
      }
      static now() {
        return shop.now;
      }
    };
    const document = {
      currentScript: { dataset: { customEventsDays: days } },
      addEventListener: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    };
    const context = { window, document, Element, URLSearchParams, Date: DateThen, fetch: (url, options) => this.answer(url, options), JSON, Promise, Object };
    vm.runInNewContext(SCRIPT, context);
    await settled();
  }

  async answer(url, options = {}) {
    this.requests.push(`${options.method ?? 'GET'} ${url}`);
    if (this.fails) {
      throw new TypeError('Failed to fetch');
    }
    if (options.method !== 'POST') {
      return { ok: true, json: async () => ({ attributes: { ...this.attributes } }) };
    }
    if (this.refuses) {
      return { ok: false };
    }
    for (const [name, value] of Object.entries(JSON.parse(options.body).attributes)) {
      if (value === '') {
        delete this.attributes[name];
      } else {
        this.attributes[name] = value;
      }
    }
    return { ok: true, json: async () => ({}) };
  }
}

/** Until every promise that is under way has gone on. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

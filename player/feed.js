/** What the server says of one channel: state, products, timeline; kept fresh by events. */

import { Api, ApiError } from "./api.js";
import { backoff } from "./backoff.js";
import { coalesce } from "./coalesce.js";
import { localeOf } from "./locale.js";
import { EMPTY, fromSnapshot, merge, parseInterval } from "./timeline.js";

const POLL_CLOSED_MS = 4_000;
const POLL_OPEN_MS = 30_000;
/** EventSource.readyState, HTML Living Standard 9.2.2. */
const OPEN = 1;
const CLOSED = 2;
const KINDS = ["timeline", "product", "stock", "state", "viewers", "health", "reset"];

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Events: `channel`, `products`, `timeline`. */
export class Feed extends EventTarget {
  /** The channel as the API tells it, null until known. */
  channel = null;
  products = new Map();
  timeline = EMPTY;
  reachable = true;
  missing = false;
  #name;
  #api;
  #source = null;
  #etag = null;
  /** The session that `timeline` is of. */
  #session = null;
  /** The events behind the snapshot begin after this one; null: unknown. */
  #cursor = null;
  #tries = 0;
  #timers = new Set();
  #closed = true;
  #refetch;
  /** The session whose recording is watched; null: what is live. */
  #recorded;
  #token;
  #stocked = false;
  /** Events of products that came while the list was on its way, `[kind, data]`; null: it is not. */
  #told = null;

  /**
   * `recorded`: a session that is over: its timeline is read once, products stay those of now.
   * `token`: what opens a recording that asks for one.
   */
  constructor(name, api = new Api(), recorded = null, token = "") {
    super();
    this.#name = name;
    this.#api = api;
    this.#recorded = recorded;
    this.#token = token;
    this.#refetch = {
      channel: coalesce(() => this.#guard(() => this.#loadChannel())),
      products: coalesce(() => this.#guard(() => this.#loadProducts())),
      timeline: coalesce(() => this.#guard(() => this.#loadTimeline())),
    };
  }

  get state() {
    return this.channel?.state ?? null;
  }

  /** Whether the channel has ever been on the air, as far as is known. */
  get hadShow() {
    return this.#session !== null;
  }

  /** Who draws the cards (`burn`, `client`, `off`), in which corner, for which language. */
  get overlay() {
    const { mode = "burn", corner = "bottom-left", locale } = this.channel?.overlay ?? {};
    return { mode, corner, locale: localeOf(locale) };
  }

  /** Load everything, then follow the events behind the snapshot. */
  async start() {
    if (!this.#closed) return;
    this.#closed = false;
    this.#poll();
    try {
      await this.refresh();
    } finally {
      if (!this.#closed && !(this.missing && this.#recorded)) this.#open();
    }
  }

  stop() {
    this.#closed = true;
    this.#source?.close();
    this.#source = null;
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
  }

  refresh() {
    return Promise.all(Object.values(this.#refetch).map((ask) => ask()));
  }

  refreshChannel() {
    return this.#refetch.channel();
  }

  refreshProducts() {
    return this.#refetch.products();
  }

  refreshTimeline() {
    return this.#refetch.timeline();
  }

  /** The product of an interval as it is now, else as it was pinned: then there is none to buy. */
  productOf(interval) {
    const now = this.products.get(interval.productId);
    if (now || !interval.product || !this.#recorded || !this.#stocked) return now ?? interval.product;
    return { ...interval.product, availability: "out_of_stock", removed: true };
  }

  #open() {
    const behind = this.#cursor;
    const source = this.#api.events(this.#name, behind);
    this.#source = source;
    // A dropped line is taken up by the browser itself, behind the last event it saw.
    source.addEventListener("open", () => {
      this.#tries = 0;
      if (behind === null) this.refresh();
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.#take(kind, parse(event.data) ?? {}));
    }
    source.addEventListener("error", () => {
      if (this.#closed) return;
      // Is it the line or the whole server? The page wants to know before the next poll.
      this.#refetch.channel();
      if (source.readyState !== CLOSED) return;
      this.#cursor = null;
      this.#later(backoff(this.#tries++), () => this.#open());
    });
  }

  #take(kind, data) {
    const takers = {
      timeline: () => this.#takeIntervals(data),
      product: () => this.#takeProduct(data),
      stock: () => this.#takeStock(data),
      state: () => this.#takeState(data),
      viewers: () => this.#changeChannel({ viewers: data.count }),
      health: () => Array.isArray(data.warnings) && this.#changeChannel({ warnings: data.warnings }),
    };
    if (kind === "product" || kind === "stock") this.#told?.push([kind, data]);
    if (takers[kind]) takers[kind]();
    else this.refresh();
  }

  /** The intervals that changed come whole; those of another session need the snapshot. */
  #takeIntervals({ session, seq, intervals }) {
    if (this.#recorded) return;
    if (!Array.isArray(intervals) || session !== this.#session) {
      this.#refetch.timeline();
      return;
    }
    this.timeline = intervals
      .map(parseInterval)
      .filter(Boolean)
      .reduce((timeline, interval) => merge(timeline, interval, seq), this.timeline);
    this.#tell("timeline");
  }

  #takeProduct(product) {
    if (product.reload || typeof product.id !== "string") {
      this.#refetch.products();
      return;
    }
    const products = new Map(this.products);
    if (product.removed) products.delete(product.id);
    else products.set(product.id, product);
    this.products = products;
    this.#tell("products");
  }

  #takeStock({ product_id: id, stock, availability }) {
    const product = this.products.get(id);
    if (product) this.#takeProduct({ ...product, stock: stock ?? undefined, availability });
  }

  #takeState({ state, session, started_at }) {
    if (typeof state !== "string") return;
    this.#changeChannel({ state, session, started_at });
    this.#refetch.channel();
  }

  #changeChannel(change) {
    if (this.channel === null) return;
    this.channel = { ...this.channel, ...change };
    this.#tell("channel");
  }

  #poll() {
    const open = this.#source?.readyState === OPEN;
    this.#later(open ? POLL_OPEN_MS : POLL_CLOSED_MS, async () => {
      const stillOpen = this.#source?.readyState === OPEN;
      try {
        await (stillOpen ? this.#refetch.channel() : this.refresh());
      } finally {
        if (!this.#closed) this.#poll();
      }
    });
  }

  #later(milliseconds, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) act();
    }, milliseconds);
    this.#timers.add(timer);
  }

  async #loadChannel() {
    this.channel = await this.#api.channel(this.#name);
    this.missing = false;
    this.#tell("channel");
  }

  async #loadProducts() {
    const told = (this.#told = []);
    try {
      const products = await this.#api.products(this.#name);
      this.products = new Map(products.map((product) => [product.id, product]));
    } finally {
      this.#told = null;
    }
    this.#stocked = true;
    for (const [kind, data] of told) this.#take(kind, data);
    this.#tell("products");
  }

  async #loadTimeline() {
    if (this.#recorded) {
      if (this.#session !== null) return;
      this.timeline = fromSnapshot(await this.#api.replayTimeline(this.#name, this.#recorded, this.#token));
      this.#session = this.#recorded;
      this.#tell("timeline");
      return;
    }
    const before = this.timeline;
    const { body, etag } = await this.#api.timeline(this.#name, this.#etag);
    if (body === null) return;
    const timeline = fromSnapshot(body);
    if (this.timeline !== before && timeline.seq < this.timeline.seq) {
      // An event came first that this does not know of yet.
      this.#refetch.timeline();
      return;
    }
    this.#etag = etag;
    this.timeline = timeline;
    this.#session = body.session ?? null;
    this.#cursor = Number.isSafeInteger(body.cursor) ? body.cursor : null;
    this.#tell("timeline");
  }

  /** A failed call is told, not thrown: the next poll tries again. */
  async #guard(act) {
    let reachable = true;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      reachable = error.status !== 0 && error.status < 500;
      if (error.status === 404) this.#gone();
      this.#tell("channel");
    }
    if (this.#closed || reachable === this.reachable) return;
    this.reachable = reachable;
    this.#tell("channel");
  }

  /** The channel was removed. Its recordings may still be there: then nothing of it is sold. */
  #gone() {
    this.missing = true;
    if (!this.#recorded || this.#stocked) return;
    this.#stocked = true;
    this.#tell("products");
  }

  #tell(kind) {
    if (!this.#closed) this.dispatchEvent(new Event(kind));
  }
}

/** What the server says of one channel: state, products, timeline; kept fresh by events. */

import { Api, ApiError } from "./api.js";
import { backoff } from "./backoff.js";
import { EMPTY, fromSnapshot, merge, parseInterval } from "./timeline.js";

const POLL_CLOSED_MS = 4_000;
const POLL_OPEN_MS = 30_000;
const KINDS = ["timeline", "product", "stock", "state", "viewers", "reset"];

/** Wrap an async act: one run at a time, and once more when asked for meanwhile. */
export function coalesce(act) {
  let running = null;
  let again = false;
  return function ask() {
    if (running) {
      again = true;
      return running;
    }
    running = act().finally(() => {
      running = null;
      if (again) {
        again = false;
        ask();
      }
    });
    return running;
  };
}

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
  #tries = 0;
  #timers = new Set();
  #closed = true;
  #refetch;

  constructor(name, api = new Api()) {
    super();
    this.#name = name;
    this.#api = api;
    this.#refetch = {
      channel: coalesce(() => this.#guard(() => this.#loadChannel())),
      products: coalesce(() => this.#guard(() => this.#loadProducts())),
      timeline: coalesce(() => this.#guard(() => this.#loadTimeline())),
    };
  }

  get state() {
    return this.channel?.state ?? null;
  }

  /** `burn`, `client` or `off`: who draws the cards. */
  get overlayMode() {
    return this.channel?.overlay?.mode ?? "burn";
  }

  start() {
    if (!this.#closed) return;
    this.#closed = false;
    this.refresh();
    this.#open();
    this.#poll();
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

  refreshTimeline() {
    return this.#refetch.timeline();
  }

  /** The product of an interval as it is now, else as it was pinned. */
  productOf(interval) {
    return this.products.get(interval.productId) ?? interval.product;
  }

  #open() {
    const source = this.#api.events(this.#name);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#tries = 0;
      // What was told while the line was down is in the snapshot.
      this.refresh();
    });
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.#take(kind, parse(event.data), event.lastEventId));
    }
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED || this.#closed) return;
      this.#later(backoff(this.#tries++), () => this.#open());
    });
  }

  #take(kind, data, id) {
    switch (kind) {
      case "timeline":
        this.#takeInterval(data, id);
        break;
      case "product":
      case "stock":
        this.#refetch.products();
        break;
      case "state":
        if (this.channel && typeof data?.state === "string") {
          this.channel = { ...this.channel, ...data };
          this.#tell("channel");
        }
        this.#refetch.channel();
        break;
      case "viewers":
        if (this.channel && Number.isFinite(data?.count ?? data?.viewers)) {
          this.channel = { ...this.channel, viewers: data.count ?? data.viewers };
          this.#tell("channel");
        }
        break;
      default:
        this.refresh();
    }
  }

  /** An interval that came whole is in force at once; the snapshot follows in any case. */
  #takeInterval(data) {
    const interval = parseInterval(data?.interval ?? data);
    if (interval) {
      this.timeline = merge(this.timeline, interval);
      this.#tell("timeline");
    }
    this.#refetch.timeline();
  }

  #poll() {
    const open = this.#source?.readyState === EventSource.OPEN;
    this.#later(open ? POLL_OPEN_MS : POLL_CLOSED_MS, async () => {
      const stillOpen = this.#source?.readyState === EventSource.OPEN;
      await (stillOpen ? this.#refetch.channel() : this.refresh());
      this.#poll();
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
    const products = await this.#api.products(this.#name);
    this.products = new Map(products.map((product) => [product.id, product]));
    this.#tell("products");
  }

  async #loadTimeline() {
    const { body, etag } = await this.#api.timeline(this.#name, this.#etag);
    this.#etag = etag;
    if (body === null) return;
    this.timeline = fromSnapshot(body);
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
      if (error.status === 404) this.missing = true;
      this.#tell("channel");
    }
    if (this.#closed || reachable === this.reachable) return;
    this.reachable = reachable;
    this.#tell("channel");
  }

  #tell(kind) {
    if (!this.#closed) this.dispatchEvent(new Event(kind));
  }
}

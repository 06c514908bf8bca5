/** The anchor's console: what is on show, what can be, and how the stream fares. */

import { Api, newKey, urls } from "./api.js";
import { setText } from "./dom.js";
import { Encoder } from "./encoder.js";
import { Ending } from "./ending.js";
import { Feed } from "./feed.js";
import { Preview } from "./preview.js";
import { drawReadings, drawWarnings, STATES } from "./health.js";
import { summary } from "./coach.js";
import { Vitals } from "./vitals.js";
import { Tiles } from "./tiles.js";
import { Title } from "./title.js";
import { secret, unlock } from "./token.js";

const MAX_PINS = 3;

const find = (id) => document.getElementById(id);
const name = document.body.dataset.channel;

class Studio {
  #api;
  #feed;
  #tiles;
  #title;
  #ending = new Ending(find("ending"), () => this.#end());
  #vitals = new Vitals();
  #preview;
  #encoder = new Encoder(name, secret(name, "key"));
  /** Commands under way, by product: whether it is to be on show, and the work. */
  #waiting = new Map();

  constructor(token) {
    this.#api = new Api(token);
    this.#feed = new Feed(name, this.#api);
    const parts = { box: find("preview-box"), place: find("preview"), note: find("preview-note"), admitted: (ticket) => (find("watch").href = urls.watch(name, ticket)) };
    this.#preview = new Preview(name, this.#api, token, parts);
    this.#tiles = new Tiles(find("tiles"), (product) => this.toggle(product));
    this.#title = new Title(find("name"), (title) => this.#rename(title));
    this.#feed.addEventListener("channel", () => this.#drawChannel());
    this.#feed.addEventListener("products", () => this.#drawProducts());
    this.#feed.addEventListener("timeline", () => this.#drawProducts());
  }

  open() {
    find("desk").hidden = false;
    find("vitals").replaceWith(this.#vitals.element);
    find("settings").append(this.#encoder.element);
    document.addEventListener("keydown", (event) => this.#key(event));
    // It plays only while it is open: a dock beside OBS has no power to spare.
    find("preview-box").open = matchMedia("(min-width: 900px)").matches;
    this.#feed.start();
    setInterval(() => this.#tiles.tick(Date.now()), 1_000);
    // The anchor reads the health figures while talking; they are not events.
    setInterval(() => document.hidden || this.#feed.refreshChannel(), 1_000);
    // Products imported by a command beside the server are told by nobody.
    setInterval(() => document.hidden || this.#feed.refreshProducts(), 10_000);
  }

  /** Put a product on show, or take it off. */
  toggle(product) {
    const pin = this.#pins().find(({ productId }) => productId === product.id);
    return pin ? this.#unpin(pin, product) : this.#pin(product);
  }

  async #rename(title) {
    try {
      const named = await this.#api.rename(name, title);
      await this.#feed.refreshChannel();
      warn("");
      setText(find("said"), `The title is ${named}`);
      return named;
    } catch (error) {
      warn(error.message);
      return null;
    }
  }

  async #end() {
    try {
      await this.#api.stop(name);
    } catch (error) {
      warn(error.message);
      return false;
    }
    warn("");
    setText(find("said"), "The show has ended");
    await this.#feed.refreshChannel();
    return true;
  }

  async unpinAll() {
    // A product that is just being put on show is to go too.
    await Promise.all([...this.#waiting.values()].map(({ work }) => work));
    await Promise.all(this.#pins().map((pin) => this.#unpin(pin, this.#feed.productOf(pin))));
  }

  #pins() {
    return this.#feed.timeline.intervals.filter(({ end }) => end === Infinity);
  }

  #pin(product) {
    if (this.#pins().length >= MAX_PINS) {
      warn(`${MAX_PINS} products are on show. Take one off first.`);
      return undefined;
    }
    return this.#act(product.id, true, `${product.title} is on show`, () => this.#api.pin(name, product.id, newKey()));
  }

  #unpin(pin, product) {
    const title = product?.title ?? "The product";
    return this.#act(pin.productId, false, `${title} is off`, () => this.#api.unpin(name, pin.id));
  }

  /**
   * One command per product at a time; the tile says that it is under way. To ask twice for the
   * same is to ask once (a double click); to ask for the opposite is done next, never dropped.
   */
  #act(id, shown, said, command) {
    const before = this.#waiting.get(id);
    if (before?.shown === shown) return before.work;
    const work = Promise.resolve(before?.work)
      .then(() => this.#carryOut(said, command))
      .finally(() => {
        if (this.#waiting.get(id)?.work === work) this.#waiting.delete(id);
        this.#drawProducts();
      });
    this.#waiting.set(id, { shown, work });
    this.#drawProducts();
    return work;
  }

  async #carryOut(said, command) {
    try {
      await command();
      warn("");
      setText(find("said"), said);
    } catch (error) {
      warn(error.message);
    }
    await this.#feed.refreshTimeline();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "0") this.unpinAll();
    else if (/^[1-9]$/.test(event.key)) {
      const product = [...this.#feed.products.values()][Number(event.key) - 1];
      if (product) this.toggle(product);
    } else return;
    event.preventDefault();
  }

  #drawProducts() {
    const products = [...this.#feed.products.values()];
    const pins = new Map(this.#pins().map((pin) => [pin.productId, pin]));
    this.#tiles.draw(products, pins, this.#waiting, this.#feed.overlay.locale);
    find("empty").hidden = products.length > 0 || this.#feed.channel === null;
  }

  #drawChannel() {
    const { channel, reachable } = this.#feed;
    const state = reachable ? (channel?.state ?? "offline") : "interrupted";
    if (channel?.title) this.#title.draw(channel.title);
    this.#ending.draw(channel);
    find("state").dataset.state = state;
    setText(find("state"), reachable ? STATES[state] : "No connection");
    const key = this.#encoder.setExpiry(channel?.key_expires_at ?? null);
    // Who is on the air stays there: the key matters before the next show.
    const keys = key && state === "offline" ? [key] : [];
    drawWarnings(find("warnings"), [...(channel?.warnings ?? []), ...keys]);
    this.#vitals.draw(channel);
    drawReadings(find("readings"), channel, ["Bitrate", "Frame rate"]);
    this.#preview.draw(channel);
    this.#drawSummary(summary(channel, reachable));
    if (channel?.rtmp_url) this.#encoder.setServer(channel.rtmps_url ?? channel.rtmp_url);
    this.#drawProducts();
  }

  #drawSummary({ level, words }) {
    for (const id of ["health-sum", "health-chip"]) {
      find(id).dataset.level = level;
      setText(find(id), words);
    }
    find("health-chip").hidden = level === "off";
  }
}

/** Try a token: only those who run this channel are told where to stream to. */
async function opens(token) {
  const { rtmp_url: server } = await new Api(token).channel(name);
  return Boolean(server);
}

function warn(text) {
  find("banner").hidden = !text;
  setText(find("banner"), text);
}

find("watch").href = urls.watch(name);
// A tab of its own that inherits what this one remembers: the stream key, where it is known.
find("camera").href = urls.camera(name);
new Studio(await unlock(name, find("gate"), opens, warn)).open();

/**
 * `<vitrine-player channel="...">`: the whole player, to be set into any page.
 *
 * Attributes: `channel`; `session` plays the recording of that session instead of what is live,
 * from `start` on (seconds, or `12m34s`); `bare` hides the title line; `bagless` hides the bag, for
 * pages that list the products themselves; `muted` keeps it silent until unmuted; `token` opens a
 * channel whose playback is signed (another one starts the player anew); `for-host` speaks to who
 * runs the channel, not to viewers. Events, with `detail`:
 * `vitrine-on-air` (`{intervals}`: what the picture shows changed), `vitrine-shape`
 * (`{width, height, portrait}`), `vitrine-notice` (`{notice}`), `vitrine-shown` (`{stretches}`: when
 * products are shown in what can be played changed; reel.js).
 */

import { urls } from "./api.js";
import { Controls } from "./controls.js";
import { h } from "./dom.js";
import { Bag, Sheet } from "./drawer.js";
import { Feed } from "./feed.js";
import { Figures } from "./figures.js";
import { onFrames } from "./frames.js";
import { wordsOfNone } from "./notice.js";
import { isOnAir, Notice, noticeFor, Phase } from "./phase.js";
import { Playback } from "./playback.js";
import { readTime, stretches } from "./reel.js";
import { Stage } from "./stage.js";
import { tileAt } from "./storyboard.js";
import { stateAt } from "./timeline.js";
import { Tuner } from "./tuner.js";

/** What the arrow keys skip. */
const SKIP_SECONDS = 5;
const NOTHING = Object.freeze({ shown: Object.freeze([]), since: Infinity, until: -Infinity });

export class VitrinePlayer extends HTMLElement {
  static observedAttributes = ["channel", "session", "bagless", "token"];

  feed = null;
  /** What the channel is asked through, by who runs it: set before it is connected; null: as a viewer. */
  api = null;
  playback = null;
  #stage = null;
  #controls;
  #figures;
  #bag;
  #sheet;
  #leave = [];
  #scene = NOTHING;
  #seen = false;
  #recorded = false;
  #stretches = [];
  #placed = "";

  /** UTC milliseconds of the picture now, on the PROGRAM-DATE-TIME axis; null when not known. */
  get playingDate() {
    return this.playback?.position.dateAt() ?? null;
  }

  get video() {
    return this.#stage?.video ?? null;
  }

  /** Whether a recording is played, not what is live. */
  get recorded() {
    return this.#recorded;
  }

  /** When which product is shown, in seconds of media time; see `stretches` in reel.js. */
  get stretches() {
    return this.#stretches;
  }

  /** Thumbnails for the scrub bar: cues as `readStoryboard` gives them. */
  set storyboard(cues) {
    this.#controls.scrub.setPictures(cues.length ? (time) => tileAt(cues, time) : null);
  }

  /** What to offer where nothing is on: `{href, target, text}`, or null. */
  set instead(link) {
    this.#stage.notice.offer(link);
  }

  /** The intervals that the picture shows now. */
  get onAir() {
    return this.#scene.shown;
  }

  connectedCallback() {
    if (this.getAttribute("channel") && !this.#stage) this.#build();
  }

  disconnectedCallback() {
    this.#leave.forEach((stop) => stop());
    this.#leave = [];
    this.#stage = null;
    this.#scene = NOTHING;
    this.#seen = false;
    this.shadowRoot?.replaceChildren();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name === "bagless") {
      if (this.#stage && this.playback) this.#show();
      return;
    }
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /** Open a product's sheet, as a click on its hot-spot does. */
  openProduct(id) {
    const pinned = this.#scene.shown.find((item) => item.productId === id)?.product;
    const product = this.feed.products.get(id) ?? pinned;
    if (product) this.#sheet.view(product, this.feed.overlay.locale);
  }

  /** Show the moment, in seconds of media time, and play on from there. */
  jumpTo(seconds) {
    this.playback.seek(seconds);
    this.playback.play();
  }

  openBag() {
    this.#bag.show();
  }

  /** Act on a key pressed anywhere on the page; answers whether it was one of ours. */
  handleKey(event) {
    if (!this.#stage || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
    const target = event.composedPath()[0];
    if (target.closest?.("input, textarea, select, dialog[open], [role=menu]")) return false;
    if (event.key === " " && target.closest?.("button, a, summary")) return false;
    const acts = {
      " ": () => this.#controls.togglePlay(),
      k: () => this.#controls.togglePlay(),
      m: () => this.#controls.toggleMute(),
      f: () => this.toggleFull(),
      l: () => this.playback.position.isLive && this.playback.goLive(),
      ArrowLeft: () => this.#controls.skip(-SKIP_SECONDS),
      ArrowRight: () => this.#controls.skip(SKIP_SECONDS),
      b: () => this.openBag(),
    };
    if (!Object.hasOwn(acts, event.key)) return false;
    event.preventDefault();
    acts[event.key]();
    return true;
  }

  /** Fill the screen; where the browser has no full screen for elements, the window. */
  async toggleFull() {
    if (document.fullscreenElement === this) await document.exitFullscreen().catch(() => undefined);
    else if (this.requestFullscreen) await this.requestFullscreen().catch(() => this.toggleAttribute("full"));
    else this.toggleAttribute("full");
    this.#controls.setFull(document.fullscreenElement === this || this.hasAttribute("full"));
  }

  #build() {
    const channel = this.getAttribute("channel");
    const session = this.getAttribute("session");
    const openProduct = (id) => this.openProduct(id);
    const recorded = (this.#recorded = Boolean(session));
    const token = this.getAttribute("token") ?? "";
    this.feed = new Feed(channel, this.api ?? undefined, session || null, token);
    this.#stage = new Stage({ openProduct, unmute: () => this.#controls.toggleMute() });
    const source = recorded ? urls.ofReplay(channel, session, "index.m3u8", token) : urls.hls(channel, token);
    const begin = readTime(this.getAttribute("start"));
    this.playback = new Playback(this.video, source, { recorded, begin });
    this.#figures = new Figures(() => this.playback.figures());
    this.#controls = new Controls(this.video, this.playback, {
      bag: () => this.openBag(),
      fullscreen: () => this.toggleFull(),
      figures: (shown) => this.#figures.toggle(shown),
    }, { live: !recorded });
    this.#sheet = new Sheet();
    this.#bag = new Bag(({ id }) => openProduct(id));
    if (this.hasAttribute("muted")) this.video.muted = true;
    this.#stage.element.append(this.#figures.element, this.#controls.element);
    const frame = h("div", { className: "frame", hidden: true }, this.#stage.element, this.#bag.element, this.#sheet.element);
    const style = h("link", { rel: "stylesheet", href: urls.file("style/player.css") });
    for (const kind of ["load", "error"]) style.addEventListener(kind, () => (frame.hidden = false));
    (this.shadowRoot ?? this.attachShadow({ mode: "open" })).replaceChildren(style, frame);
    this.#wire();
    this.feed.start();
    if (this.#recorded) this.playback.start();
  }

  #wire() {
    const { feed, playback, video } = this;
    const stage = this.#stage;
    const figures = this.#figures;
    const tuner = new Tuner(feed, playback, () => this.#clear());
    const abort = new AbortController();
    const on = (target, kinds, act) => {
      for (const kind of kinds) target.addEventListener(kind, act, { signal: abort.signal });
    };
    on(feed, ["channel"], () => {
      if (!this.#recorded) tuner.update();
      this.#show();
    });
    on(feed, ["products", "timeline"], () => this.#redraw());
    // Whether there has been a show, and whether there is anything to buy, is told too.
    on(feed, ["products", "timeline"], () => this.#show());
    on(playback, ["phase", "levels", "sound"], () => this.#show());
    on(video, ["resize", "loadedmetadata"], () => this.#shapeChanged());
    const moved = () => {
      this.#controls.update();
      this.#stage.dim(!this.#recorded && !playback.position.atLive);
      this.#place();
    };
    on(video, ["timeupdate", "seeking", "durationchange"], moved);
    on(playback, ["behind"], moved);
    on(this, ["keydown"], (event) => this.handleKey(event));
    on(document, ["fullscreenchange"], () => this.#controls.setFull(document.fullscreenElement === this));
    on(window, ["online"], () => feed.refresh());
    this.#leave = [
      onFrames(video, (time) => this.#present(time)),
      () => abort.abort(),
      () => figures.toggle(false),
      () => stage.close(),
      () => feed.stop(),
      () => tuner.close(),
      () => playback.close(),
    ];
  }

  /** The heart: what is on is a function of the presented frame's date. */
  #present(mediaTime) {
    if (this.playback.phase === Phase.ENDED && !this.#recorded) return;
    const date = this.playback.position.dateAt(mediaTime);
    if (date === null || (date >= this.#scene.since && date < this.#scene.until)) return;
    const before = this.#scene.shown;
    this.#scene = stateAt(this.feed.timeline, date);
    const { shown } = this.#scene;
    if (before.length !== shown.length || before.some((item, n) => item !== shown[n])) this.#drawOnAir();
  }

  /** The shop changed something: the answer of the last frame no longer holds. */
  #redraw() {
    this.#scene = { ...NOTHING, shown: this.#scene.shown };
    if (this.#seen) this.#present(this.video.currentTime);
    this.#drawOnAir();
    this.#controls.setBagCount(this.feed.products.size);
    this.#placed = "";
    this.#place();
  }

  /** Lay the products along the scrub bar; anew when what can be played has moved on. */
  #place() {
    const { position } = this.playback;
    const { range } = position;
    if (range === null) return;
    const first = position.dateAt(range.start);
    const placed = `${Math.round((first ?? 0) / 1000)} ${Math.round(range.start)}`;
    if (placed === this.#placed) return;
    this.#placed = placed;
    // What has left the list is of no use, and grows with the hours.
    const listed = this.feed.timeline.intervals.filter(({ end }) => first === null || end > first);
    this.#stretches = stretches(listed, (date) => position.timeAt(date));
    this.#controls.scrub.setStretches(this.#stretches, ({ interval }) => this.feed.productOf(interval)?.title ?? "");
    this.#tell("vitrine-shown", { stretches: this.#stretches });
  }

  #drawOnAir() {
    const { shown } = this.#scene;
    this.#stage.spots.show(shown, this.feed.overlay, (item) => this.feed.productOf(item));
    this.#drawBag();
    this.#tell("vitrine-on-air", { intervals: shown });
  }

  #drawBag() {
    const { overlay, products } = this.feed;
    const onAir = new Set(this.#scene.shown.map(({ productId }) => productId));
    this.#bag.update(products, onAir, overlay.locale, wordsOfNone(this.dataset.notice));
  }

  #clear() {
    this.#scene = NOTHING;
    this.#drawOnAir();
  }

  #show() {
    const { channel, state, reachable, missing } = this.feed;
    const { phase } = this.playback;
    const recorded = this.#recorded;
    if (phase === Phase.PLAYING) this.#seen = true;
    if (phase === Phase.ENDED && state === "live" && !recorded) this.feed.refreshChannel();
    if (phase === Phase.ENDED && !recorded && this.#scene.shown.length > 0) this.#clear();
    const notice = noticeFor({ state, phase, reachable, missing: missing && !recorded, seen: this.#seen, recorded });
    this.#stage.notice.show(notice, {
      bag: !this.hasAttribute("bagless"),
      empty: this.feed.products.size === 0,
      again: this.feed.hadShow,
      host: this.hasAttribute("for-host"),
      refused: this.playback.refused,
    });
    this.#stage.describe({ title: channel?.title, live: isOnAir(state, notice) && !recorded, viewers: channel?.viewers ?? 0, recorded });
    this.#stage.offerSound(this.video.muted && Boolean(this.video.dataset.silenced) && phase === Phase.PLAYING);
    this.#controls.setAway(state === "interrupted" && !recorded, { cut: notice === Notice.UNREACHABLE });
    this.dataset.notice = notice;
    this.#drawBag();
    this.dataset.phase = phase;
    this.#tell("vitrine-notice", { notice });
  }

  #shapeChanged() {
    const { size } = this.#stage;
    if (size === null) return;
    this.dataset.shape = size.portrait ? "portrait" : "landscape";
    this.#stage.place();
    this.#tell("vitrine-shape", size);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("vitrine-player")) customElements.define("vitrine-player", VitrinePlayer);

/**
 * `<vitrine-player channel="...">`: the whole player, to be set into any page.
 *
 * Attributes: `channel`; `bare` hides the title line; `bagless` hides the bag, for pages that
 * list the products themselves; `muted` keeps it silent until unmuted. Events, with `detail`: `vitrine-on-air` (`{intervals}`: what the
 * picture shows changed), `vitrine-shape` (`{portrait, width, height}`), `vitrine-notice`.
 */

import { urls } from "./api.js";
import { Controls } from "./controls.js";
import { h, icon, setBox, setText } from "./dom.js";
import { Bag, Sheet } from "./drawer.js";
import { Feed } from "./feed.js";
import { Figures } from "./figures.js";
import { onFrames } from "./frames.js";
import { fitPicture } from "./geometry.js";
import { NoticeBoard } from "./notice.js";
import { noticeFor, Phase } from "./phase.js";
import { Playback } from "./playback.js";
import { Spots } from "./spots.js";
import { stateAt } from "./timeline.js";

const IDLE_MS = 2_600;
/** The burned-in cards keep a 5 % margin: this much may be cut to fill a phone's screen. */
const CROP = 0.045;
const SLACK_MS = 6_000;

export class VitrinePlayer extends HTMLElement {
  static observedAttributes = ["channel"];

  feed = null;
  playback = null;
  #parts = null;
  #leave = [];
  #scene = { shown: [], since: Infinity, until: -Infinity };
  #seen = false;
  #session = null;
  #giveUp = 0;
  #idle = 0;

  /** UTC milliseconds of the picture now, on the PROGRAM-DATE-TIME axis; null when not known. */
  get playingDate() {
    return this.playback?.dateAt() ?? null;
  }

  get video() {
    return this.#parts?.video ?? null;
  }

  /** The intervals that the picture shows now. */
  get onAir() {
    return this.#scene.shown;
  }

  connectedCallback() {
    if (this.getAttribute("channel") && !this.#parts) this.#build();
  }

  disconnectedCallback() {
    this.#leave.forEach((stop) => stop());
    this.#leave = [];
    clearTimeout(this.#giveUp);
    clearTimeout(this.#idle);
    this.#parts?.figures.toggle(false);
    this.shadowRoot?.replaceChildren();
    this.#parts = null;
  }

  attributeChangedCallback(_, before, after) {
    if (!this.isConnected || before === after) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /** Open a product's sheet, as a click on its hot-spot does. */
  openProduct(id) {
    const product = this.feed.products.get(id) ?? this.#scene.shown.find((item) => item.productId === id)?.product;
    if (product) this.#parts.sheet.view(product, this.#locale);
  }

  openBag() {
    this.#parts.bag.show();
  }

  /** Act on a key pressed anywhere on the page; answers whether it was one of ours. */
  handleKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.#parts) return false;
    const target = event.composedPath()[0];
    if (target.closest?.("input, textarea, select, dialog[open], [role=menu]")) return false;
    const onButton = target.closest?.("button, a, summary");
    const { controls } = this.#parts;
    const acts = {
      " ": () => controls.togglePlay(),
      k: () => controls.togglePlay(),
      m: () => controls.toggleMute(),
      f: () => this.toggleFull(),
      l: () => this.playback.goLive(),
      b: () => this.openBag(),
    };
    const act = acts[event.key];
    if (!act || (event.key === " " && onButton)) return false;
    event.preventDefault();
    act();
    return true;
  }

  /** Fill the screen; where the browser has no full screen for elements, the window. */
  async toggleFull() {
    if (document.fullscreenElement === this) await document.exitFullscreen();
    else if (this.requestFullscreen) await this.requestFullscreen().catch(() => this.toggleAttribute("full"));
    else this.toggleAttribute("full");
    this.#parts.controls.setFull(document.fullscreenElement === this || this.hasAttribute("full"));
    this.#place();
  }

  get #locale() {
    return this.feed.channel?.overlay?.locale ?? (document.documentElement.lang || undefined);
  }

  #build() {
    const channel = this.getAttribute("channel");
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const video = h("video", { playsInline: true, preload: "auto", disableRemotePlayback: true, tabIndex: -1 });
    video.setAttribute("aria-label", "Live show");
    this.feed = new Feed(channel);
    this.playback = new Playback(video, urls.hls(channel));
    const sheet = new Sheet();
    const bag = new Bag((product) => this.openProduct(product.id));
    const spots = new Spots((id) => this.openProduct(id));
    const figures = new Figures(() => this.playback.figures());
    const board = new NoticeBoard();
    const controls = new Controls(video, this.playback, {
      bag: () => bag.show(),
      fullscreen: () => this.toggleFull(),
      figures: () => {
        figures.toggle();
        controls.figures.setAttribute("aria-pressed", String(figures.shown));
      },
    });
    const badge = h("span", { className: "badge", hidden: true }, "Live");
    const viewers = h("span", { className: "viewers", hidden: true });
    const title = h("span", { className: "title" });
    const top = h("div", { className: "top" }, badge, viewers, title);
    const sound = h("button", { type: "button", className: "sound", hidden: true, onclick: () => controls.toggleMute() }, icon("muted"), "Tap for sound");
    const stage = h("div", { className: "stage" }, video, h("div", { className: "shade" }), spots.element, board.element, top, sound, figures.element, controls.element);
    const frame = h("div", { className: "frame", hidden: true }, stage, bag.element, sheet.element);
    const style = h("link", { rel: "stylesheet", href: urls.file("style/player.css") });
    style.addEventListener("load", () => {
      frame.hidden = false;
      this.#place();
    });
    root.replaceChildren(style, frame);
    if (this.hasAttribute("muted")) video.muted = true;
    this.#parts = { video, stage, sheet, bag, spots, figures, board, controls, badge, viewers, title, sound };
    this.#wire();
    this.feed.start();
  }

  #wire() {
    const { video, stage, controls } = this.#parts;
    const abort = new AbortController();
    const on = (target, kinds, act) => {
      for (const kind of kinds) target.addEventListener(kind, act, { signal: abort.signal });
    };
    on(this.feed, ["channel"], () => this.#channelChanged());
    on(this.feed, ["products"], () => this.#redraw());
    on(this.feed, ["timeline"], () => this.#redraw());
    on(this.playback, ["phase", "levels", "sound"], () => this.#show());
    on(video, ["resize", "loadedmetadata"], () => this.#shapeChanged());
    on(video, ["timeupdate"], () => controls.update());
    on(stage, ["pointermove", "pointerdown", "focusin"], () => this.#wake());
    on(this, ["keydown"], (event) => this.handleKey(event));
    on(document, ["fullscreenchange"], () => {
      controls.setFull(document.fullscreenElement === this);
      this.#place();
    });
    on(window, ["online"], () => this.feed.refresh());
    const size = new ResizeObserver(() => this.#place());
    size.observe(stage);
    this.#leave = [
      onFrames(video, (time) => this.#present(time)),
      () => abort.abort(),
      () => size.disconnect(),
      () => this.feed.stop(),
      () => this.playback.close(),
    ];
  }

  /** The heart: what is on is a function of the presented frame's date. */
  #present(mediaTime) {
    const date = this.playback.dateAt(mediaTime);
    if (date === null) return;
    if (date >= this.#scene.since && date < this.#scene.until) return;
    const before = this.#scene.shown;
    this.#scene = stateAt(this.feed.timeline, date);
    const { shown } = this.#scene;
    if (before.length === shown.length && before.every((item, n) => item === shown[n])) return;
    this.#drawOnAir();
  }

  #redraw() {
    this.#scene = { shown: this.#scene.shown, since: Infinity, until: -Infinity };
    this.#drawOnAir();
    if (this.#seen) this.#present(this.video.currentTime);
    this.#parts.controls.setBagCount(this.feed.products.size);
  }

  #drawOnAir() {
    const { spots, bag } = this.#parts;
    const shown = this.#scene.shown;
    spots.show(shown, this.feed.overlayMode, (item) => this.feed.productOf(item), this.#locale);
    bag.update(this.feed.products, new Set(shown.map((item) => item.productId)), this.#locale);
    this.#tell("vitrine-on-air", { intervals: shown });
  }

  /** The show begins, is taken over or ends without the page being loaded again. */
  #channelChanged() {
    const { channel, state } = this.feed;
    const session = channel?.session?.id ?? channel?.session ?? null;
    const { phase } = this.playback;
    const rest = phase === Phase.IDLE || phase === Phase.ENDED;
    const anew = state === "live" && session !== this.#session && phase !== Phase.PLAYING;
    if (state === "live" && (rest || anew)) this.playback.start();
    if (state === "live") this.#session = session;
    clearTimeout(this.#giveUp);
    if (state === "offline" && !rest) this.#giveUp = setTimeout(() => this.#stopWhenOver(), SLACK_MS);
    this.#show();
  }

  /** Offline for a while: what was buffered has been shown; nothing more will come. */
  #stopWhenOver() {
    if (this.feed.state !== "offline" || this.playback.phase === Phase.PLAYING) return;
    this.playback.stop();
    this.#scene = { shown: [], since: Infinity, until: -Infinity };
    this.#drawOnAir();
  }

  #show() {
    if (!this.#parts) return;
    const { board, badge, viewers, title, sound, controls, video } = this.#parts;
    const { channel, state, reachable, missing } = this.feed;
    const { phase } = this.playback;
    if (phase === Phase.PLAYING) this.#seen = true;
    const notice = noticeFor({ state, phase, reachable, missing, seen: this.#seen });
    board.show(notice);
    this.dataset.notice = notice;
    this.dataset.phase = phase;
    badge.hidden = state !== "live";
    const count = channel?.viewers;
    viewers.hidden = !(state === "live" && Number.isInteger(count) && count > 0);
    if (!viewers.hidden) {
      viewers.replaceChildren(icon("eye"), Intl.NumberFormat(undefined, { notation: "compact" }).format(count), h("span", { className: "unseen" }, " watching"));
    }
    setText(title, channel?.title ?? "");
    sound.hidden = !(video.muted && video.dataset.silenced && phase === Phase.PLAYING);
    controls.element.hidden = phase === Phase.IDLE || phase === Phase.UNSUPPORTED;
    controls.update();
    this.#tell("vitrine-notice", { notice });
  }

  #shapeChanged() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || !height) return;
    const portrait = height > width;
    this.dataset.shape = portrait ? "portrait" : "landscape";
    this.#tell("vitrine-shape", { portrait, width, height });
    this.#place();
  }

  #place() {
    if (!this.#parts) return;
    const { stage, video, spots, controls } = this.#parts;
    const box = { width: stage.clientWidth, height: stage.clientHeight };
    const size = { width: video.videoWidth, height: video.videoHeight };
    const portrait = size.height > size.width;
    const bleed = portrait && box.height > box.width;
    const whole = fitPicture(box, size, { crop: bleed ? CROP : 0, anchor: bleed ? 0 : 0.5 });
    // A landscape picture gets the bar under it where there is room: no card is ever covered.
    const bar = controls.element.offsetHeight || 52;
    const spare = box.height - whole.height;
    const docked = size.width > 0 && !portrait && spare >= bar;
    const picture = docked ? { ...whole, y: (spare - bar) / 2 } : whole;
    stage.classList.toggle("stage-docked", docked);
    setBox(video, picture);
    spots.place(picture);
    stage.style.setProperty("--picture-bottom", `${picture.y + picture.height}px`);
    stage.style.setProperty("--picture-left", `${Math.max(0, picture.x)}px`);
    stage.style.setProperty("--picture-width", `${Math.min(box.width, picture.width)}px`);
    stage.style.setProperty("--picture-top", `${Math.max(0, picture.y)}px`);
  }

  #wake() {
    const { stage } = this.#parts;
    stage.classList.remove("stage-idle");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const inside = this.shadowRoot?.activeElement;
      if (!inside?.closest(".bar") && !this.video?.paused) stage.classList.add("stage-idle");
    }, IDLE_MS);
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("vitrine-player")) customElements.define("vitrine-player", VitrinePlayer);

/**
 * The scrub bar: where in the show the picture is, and the way to another moment of it.
 *
 * A slider (WAI-ARIA 1.2) that runs from left to right in every language, as media do. While it is
 * dragged only its hint moves; the picture follows when it is let go.
 */

import { h, setText } from "./dom.js";
import { clock, fraction, marks, pointedAt, spoken, stepTo } from "./reel.js";

/** In a show that has just begun a bar would be noise. */
const LEAST_LIVE_SECONDS = 8;
/** Pixels from the beginning of a product's mark within which a pointer means that beginning. */
const SNAP = 10;

export class Scrub {
  #playback;
  #live;
  #range = null;
  #stretches = [];
  #nameOf = () => "";
  #picture = null;
  #dragged = null;
  #drawn = "";

  /** `live`: time is told as what it lies behind live. */
  constructor(playback, { live }) {
    this.#playback = playback;
    this.#live = live;
    this.played = h("span", { className: "scrub-played" });
    this.marks = h("span", { className: "scrub-marks" });
    this.thumb = h("span", { className: "scrub-thumb" });
    this.picture = h("span", { className: "scrub-picture", hidden: true });
    this.name = h("span", { className: "scrub-name" });
    this.time = h("span", { className: "scrub-time" });
    this.hint = h("span", { className: "scrub-hint", "aria-hidden": "true", hidden: true }, this.picture, this.name, this.time);
    this.track = h("span", { className: "scrub-track" }, this.played, this.marks);
    this.element = h(
      "div",
      {
        className: "scrub",
        role: "slider",
        tabIndex: 0,
        dir: "ltr",
        hidden: true,
        "aria-label": "Seek",
        "aria-orientation": "horizontal",
        "aria-valuemin": "0",
      },
      this.track,
      h("span", { className: "scrub-rail" }, this.thumb),
      this.hint,
    );
    const on = (kind, act) => this.element.addEventListener(kind, act);
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#release(event));
    // Also where the drag is broken off, or the bar goes away under it.
    on("lostpointercapture", () => this.#dragged !== null && this.#let());
    on("pointerleave", () => this.#dragged === null && this.#hide());
    on("keydown", (event) => this.#key(event));
    on("blur", () => this.#hide());
  }

  /** Tell when products are shown (`stretches` of reel.js) and what a stretch is called. */
  setStretches(stretches, nameOf) {
    this.#stretches = stretches;
    this.#nameOf = nameOf;
    this.update();
  }

  /** `pictureAt(seconds)` answers `{url, x, y, width, height, sheetWidth}` or null; see storyboard.js. */
  setPictures(pictureAt) {
    this.#picture = pictureAt;
  }

  update() {
    const range = this.#playback.position.range;
    this.#range = range;
    const long = range !== null && range.end - range.start >= (this.#live ? LEAST_LIVE_SECONDS : 0);
    this.element.hidden = !long;
    if (!long) return;
    if (this.#dragged === null) this.#place(this.#now());
    this.#drawMarks();
  }

  #now() {
    return this.#live && this.#playback.position.atLive ? this.#range.end : this.#playback.position.time;
  }

  #place(time) {
    const range = this.#range;
    const at = fraction(time, range);
    this.played.style.transform = `scaleX(${at})`;
    this.thumb.style.left = `${at * 100}%`;
    const { element } = this;
    element.setAttribute("aria-valuemax", String(Math.round(range.end - range.start)));
    element.setAttribute("aria-valuenow", String(Math.max(0, Math.round(time - range.start))));
    element.setAttribute("aria-valuetext", this.#words(time));
  }

  #words(time) {
    const { end } = this.#range;
    const shown = pointedAt(this.#stretches, time, 0)?.stretch;
    const product = shown ? `, ${this.#nameOf(shown)}` : "";
    if (!this.#live) return `${spoken(time)} of ${spoken(end)}${product}`;
    return (end - time < 1 ? "Live" : `${spoken(end - time)} behind live`) + product;
  }

  #drawMarks() {
    const places = marks(this.#stretches, this.#range);
    const drawn = JSON.stringify(places.map(({ at, width }) => [at.toFixed(4), width.toFixed(4)]));
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const { children } = this.marks;
    while (children.length > places.length) this.marks.lastElementChild.remove();
    while (children.length < places.length) this.marks.append(h("span", { className: "scrub-mark" }));
    places.forEach(({ at, width }, n) => {
      children[n].style.left = `${at * 100}%`;
      children[n].style.width = `${width * 100}%`;
    });
  }

  /** What a pointer means: a time, and the product whose beginning it may be. */
  #point(event) {
    const box = this.track.getBoundingClientRect();
    const { start, end } = this.#range;
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const time = start + part * (end - start);
    const found = pointedAt(this.#stretches, time, (SNAP / box.width) * (end - start));
    const meant = found?.begins ? Math.max(start, found.stretch.from) : time;
    return { time: meant, stretch: found?.stretch ?? null };
  }

  #press(event) {
    if (event.button !== 0 || this.#range === null) return;
    this.element.setPointerCapture(event.pointerId);
    this.element.classList.add("scrub-dragged");
    this.#follow(event);
  }

  #move(event) {
    if (this.#range === null) return;
    if (this.#dragged !== null) this.#follow(event);
    else if (event.pointerType === "mouse") this.#show(this.#point(event));
  }

  #follow(event) {
    const point = this.#point(event);
    this.#dragged = point.time;
    this.#place(point.time);
    this.#show(point);
  }

  #release(event) {
    if (this.#dragged === null) return;
    const time = this.#dragged;
    this.#let();
    if (this.#range === null) return;
    if (event.pointerType === "mouse") this.#show(this.#point(event));
    this.#playback.seek(time);
    this.update();
  }

  #let() {
    this.#dragged = null;
    this.element.classList.remove("scrub-dragged");
    this.#hide();
  }

  #key(event) {
    if (this.#range === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const time = stepTo(event.key, this.#now(), this.#range);
    if (time === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.#playback.seek(time);
    this.#place(time);
    this.#show({ time, stretch: pointedAt(this.#stretches, time, 0)?.stretch ?? null });
  }

  #show({ time, stretch }) {
    const { start, end } = this.#range;
    const { hint } = this;
    setText(this.name, stretch ? this.#nameOf(stretch) : "");
    this.name.hidden = !stretch;
    setText(this.time, this.#live ? (end - time < 1 ? "Live" : `\u2212${clock(end - time)}`) : clock(time));
    this.#showPicture(this.#picture?.(time) ?? null);
    hint.hidden = false;
    // In the middle over its moment, but never over the bar's ends.
    const room = this.element.clientWidth;
    const half = hint.offsetWidth / 2;
    const middle = ((time - start) / (end - start)) * room;
    hint.style.left = `${Math.min(Math.max(middle, half), Math.max(half, room - half))}px`;
  }

  #showPicture(tile) {
    const { picture } = this;
    picture.hidden = tile === null;
    if (tile === null) return;
    const { style } = picture;
    style.width = `${tile.width}px`;
    style.height = `${tile.height}px`;
    style.backgroundImage = `url("${tile.url}")`;
    style.backgroundPosition = `${-tile.x}px ${-tile.y}px`;
  }

  #hide() {
    this.hint.hidden = true;
  }
}

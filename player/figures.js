/** The panel of figures, for people who ask how late they are. */

import { h, setText } from "./dom.js";

const REFRESH_MS = 500;
const seconds = (value) => (value === null ? "\u2013" : `${value.toFixed(2)} s`);

const ROWS = [
  ["Latency", (f) => seconds(f.latency)],
  ["Target", (f) => seconds(f.target)],
  ["Buffered", (f) => seconds(f.ahead)],
  ["Picture", (f) => (f.width ? `${f.width}\u00d7${f.height}` : "\u2013")],
  ["Speed", (f) => `${f.rate.toFixed(2)}\u00d7`],
  ["Dropped", (f) => (f.dropped === null ? "\u2013" : `${f.dropped} of ${f.frames}`)],
  ["Line", (f) => (f.bandwidth ? `${(f.bandwidth / 1e6).toFixed(1)} Mbit/s` : "\u2013")],
  ["Player", (f) => f.engine + (f.fault ? ` (${f.fault})` : "")],
];

export class Figures {
  #read;
  #timer = 0;
  #values = ROWS.map(() => h("dd"));

  /** `read()` answers Playback.figures(). */
  constructor(read) {
    this.#read = read;
    const rows = ROWS.map(([name], n) => h("div", {}, h("dt", {}, name), this.#values[n]));
    this.element = h("dl", { className: "figures", hidden: true, "aria-label": "Playback figures" }, ...rows);
  }

  get shown() {
    return !this.element.hidden;
  }

  toggle(shown = !this.shown) {
    this.element.hidden = !shown;
    clearInterval(this.#timer);
    if (!shown) return;
    this.#update();
    this.#timer = setInterval(() => this.#update(), REFRESH_MS);
  }

  #update() {
    const figures = this.#read();
    ROWS.forEach(([, text], n) => setText(this.#values[n], text(figures)));
  }
}

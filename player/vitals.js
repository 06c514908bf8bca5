/** The stream's vital signs, as an anchor reads them in passing: rate, pictures, sound, sync. */

import { h, setText } from "./dom.js";
import { bits } from "./health.js";
import { Spark } from "./spark.js";

/** dBFS at the left end of the meter. */
const QUIETEST = -60;
/** Seconds at the ends of the sync scale, and of what nobody notices. */
const FARTHEST = 0.2;
const NOTICED = 0.08;

/** Place a level on the meter, 0 to 1. */
export function onMeter(level) {
  return Number.isFinite(level) ? Math.min(1, Math.max(0, 1 - level / QUIETEST)) : 0;
}

/** Place an offset on the sync scale, 0 to 1; in the middle both are together. */
export function onScale(offset) {
  return 0.5 + Math.min(1, Math.max(-1, offset / FARTHEST)) / 2;
}

/** Average the last few seconds: where one ends and the next begins is chance. */
export function mean(values, count = 4) {
  const last = values.slice(-count);
  return last.reduce((sum, value) => sum + value, 0) / last.length;
}

/** Say a level. */
export function levelWords(level) {
  if (!Number.isFinite(level)) return "no sound";
  return level <= -100 ? "silent" : `${Math.round(level)} dB`;
}

/** Say how far the sound is from the picture. */
export function syncWords(offset) {
  if (!Number.isFinite(offset)) return "unknown";
  const ms = Math.round(Math.abs(offset) * 1000);
  if (ms < 10) return "in step";
  return offset > 0 ? `${ms} ms early` : `${ms} ms late`;
}

export class Vitals {
  #rate = new Trace("Bitrate");
  #pictures = new Trace("Frame rate");
  #left = new Bar("Left");
  #right = new Bar("Right");
  #level = h("span", { className: "vital-value" });
  #sync = h("span", { className: "vital-value" });
  #mark = h("i", { className: "sync-mark" });

  constructor() {
    const zone = h("i", { className: "sync-zone" });
    zone.style.left = `${onScale(-NOTICED) * 100}%`;
    zone.style.right = `${(1 - onScale(NOTICED)) * 100}%`;
    this.element = h(
      "div",
      { className: "vitals" },
      this.#rate.element,
      this.#pictures.element,
      vital("Sound", this.#level, h("div", { className: "meter" }, this.#left.element, this.#right.element)),
      vital("A/V sync", this.#sync, h("div", { className: "sync", "aria-hidden": "true" }, zone, this.#mark)),
    );
  }

  /** Show a channel's ingest; nothing of one that sends nothing. */
  draw(channel) {
    const ingest = channel?.ingest ?? {};
    const live = channel?.state === "live" && Number.isFinite(ingest.bitrate);
    this.element.hidden = !live;
    if (!live) return;
    const { bitrate = [], fps = [] } = ingest.history ?? {};
    this.#rate.draw(bitrate, bits(ingest.bitrate), 1e6);
    this.#pictures.draw(fps, fps.length ? `${Math.round(mean(fps))} fps` : "", ingest.nominal_fps ?? 30);
    const heard = ingest.audio ? ingest : {};
    this.#left.draw(heard.peak_left);
    this.#right.draw(heard.peak_right);
    setText(this.#level, levelWords(ingest.audio ? Math.max(ingest.peak_left ?? NaN, ingest.peak_right ?? NaN) : NaN));
    const offset = ingest.av_offset ?? NaN;
    setText(this.#sync, syncWords(offset));
    this.#mark.hidden = !Number.isFinite(offset);
    if (Number.isFinite(offset)) this.#mark.style.left = `${onScale(offset) * 100}%`;
    this.#mark.dataset.far = String(Math.abs(offset) > NOTICED);
  }
}

function vital(name, value, shown) {
  const head = h("p", { className: "vital-head" }, h("span", { className: "vital-name" }, name), value);
  return h("div", { className: "vital" }, head, shown);
}

/** A figure with the line of its last minute. */
class Trace {
  #value = h("span", { className: "vital-value" });
  #spark = new Spark();

  constructor(name) {
    this.element = vital(name, this.#value, this.#spark.element);
  }

  draw(values, words, least) {
    setText(this.#value, words ?? "");
    this.#spark.draw(values, least);
  }
}

/** One channel's loudest moment. */
class Bar {
  #cover = h("i", { className: "meter-cover" });

  constructor(name) {
    this.element = h(
      "div",
      { className: "meter-bar", role: "meter", "aria-label": `${name} level`, "aria-valuemin": QUIETEST, "aria-valuemax": 0 },
      this.#cover,
    );
  }

  draw(level) {
    this.#cover.style.transform = `scaleX(${(1 - onMeter(level)).toFixed(3)})`;
    this.element.setAttribute("aria-valuenow", Math.max(QUIETEST, Math.min(0, Math.round(level ?? QUIETEST))));
    this.element.setAttribute("aria-valuetext", levelWords(level ?? NaN));
  }
}

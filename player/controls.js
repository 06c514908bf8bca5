/** The bar under the picture: the way through the show, play, sound, live, rungs, bag, full screen. */

import { h, icon, iconButton, recall, remember, setIconButton, setText } from "./dom.js";
import { Phase } from "./phase.js";
import { clock } from "./reel.js";
import { Scrub } from "./scrub.js";

const MUTED = "vitrine.muted";
const VOLUME = "vitrine.volume";

/**
 * `acts`: `bag()`, `figures(shown)`, `fullscreen()`. Reads the video and playback; `update()` shows
 * their state and is called whenever that may have changed. `live`: the show is not a recording.
 */
export class Controls {
  #video;
  #playback;
  #live;
  #away = false;
  #cut = false;

  constructor(video, playback, acts, { live = true } = {}) {
    this.#video = video;
    this.#playback = playback;
    this.#live = live;
    this.scrub = new Scrub(playback, { live });
    this.play = iconButton("pause", "Pause", () => this.togglePlay());
    this.mute = iconButton("sound", "Mute", () => this.toggleMute());
    this.volume = h("input", {
      type: "range",
      className: "volume",
      min: "0",
      max: "1",
      step: "0.05",
      "aria-label": "Volume",
      oninput: () => this.#setVolume(Number(this.volume.value)),
    });
    this.live = h("button", { type: "button", className: "go-live", onclick: () => playback.goLive() });
    this.time = h("span", { className: "show-time", hidden: live });
    this.bagCount = h("span", { className: "count", "aria-hidden": "true" });
    this.bag = iconButton("bag", "Products", () => acts.bag(), { className: "tool tool-bag" });
    this.bag.append(this.bagCount);
    this.figures = iconButton("pulse", "Latency and quality figures", () => this.#toggleFigures(acts), {
      className: "tool tool-figures",
      "aria-pressed": "false",
    });
    this.full = iconButton("expand", "Full screen", () => acts.fullscreen());
    this.rungs = new Rungs(playback);
    this.element = h(
      "div",
      { className: "bar", role: "group", "aria-label": "Player controls" },
      this.scrub.element,
      h("div", { className: "bar-side" }, this.play, this.mute, this.volume, this.live, this.time),
      h("div", { className: "bar-side" }, this.figures, this.rungs.element, this.full, this.bag),
    );
    this.#recallSound();
  }

  /** Go so many seconds on, or back. */
  skip(seconds) {
    this.#playback.seek(this.#playback.position.time + seconds);
  }

  togglePlay() {
    if (this.#video.paused) this.#playback.play();
    else this.#playback.pause();
  }

  toggleMute() {
    const video = this.#video;
    video.muted = !video.muted;
    delete video.dataset.silenced;
    if (!video.muted && video.volume === 0) video.volume = 0.6;
    remember(MUTED, video.muted ? "1" : null);
  }

  update() {
    const { paused, muted, volume } = this.#video;
    const { phase } = this.#playback;
    this.element.hidden = phase === Phase.UNSUPPORTED;
    this.element.classList.toggle("bar-resting", phase === Phase.IDLE);
    const quiet = muted || volume === 0;
    setIconButton(this.play, paused ? "play" : "pause", paused ? "Play" : "Pause");
    setIconButton(this.mute, quiet ? "muted" : "sound", quiet ? "Unmute" : "Mute");
    this.volume.value = String(quiet ? 0 : volume);
    this.#updateLive();
    this.#updateTime();
    this.scrub.update();
    this.rungs.update();
  }

  setBagCount(count) {
    setText(this.bagCount, count ? String(count) : "");
    this.bagCount.hidden = count === 0;
    this.bag.setAttribute("aria-label", `Products, ${count}`);
  }

  setFull(full) {
    setIconButton(this.full, full ? "shrink" : "expand", full ? "Leave full screen" : "Full screen");
  }

  /**
   * `away`: the host is, so nothing is live, whatever plays meanwhile; `cut`: nothing gets through,
   * so there is no live to go to either.
   */
  setAway(away, { cut = false } = {}) {
    this.#away = away;
    this.#cut = cut;
    this.update();
  }

  #toggleFigures(acts) {
    const shown = this.figures.getAttribute("aria-pressed") !== "true";
    acts.figures(shown);
    this.figures.setAttribute("aria-pressed", String(shown));
  }

  #updateLive() {
    const { phase, position } = this.#playback;
    const shown = phase === Phase.PLAYING || phase === Phase.PAUSED || phase === Phase.BUFFERING;
    const late = shown && (!position.atLive || phase === Phase.PAUSED);
    this.live.hidden = !shown || !this.#live || !position.isLive || this.#cut || (this.#away && !late);
    this.live.classList.toggle("go-live-late", late);
    this.live.disabled = !late;
    setText(this.live, late ? "Go to live" : "Live");
  }

  /** How far into the recording, or how far behind live. */
  #updateTime() {
    const { range, time, behind, atLive, isLive } = this.#playback.position;
    if (this.#live && isLive) {
      this.time.hidden = this.live.hidden || atLive;
      setText(this.time, `\u2212${clock(behind)}`);
      return;
    }
    this.time.hidden = range === null;
    if (range !== null) setText(this.time, `${clock(time)} / ${clock(range.end)}`);
  }

  #setVolume(volume) {
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
    delete this.#video.dataset.silenced;
    remember(VOLUME, String(volume));
    remember(MUTED, volume === 0 ? "1" : null);
  }

  #recallSound() {
    const volume = Number.parseFloat(recall(VOLUME) ?? "1");
    if (volume >= 0 && volume <= 1) this.#video.volume = volume;
    this.#video.muted = recall(MUTED) === "1";
  }
}

/** The quality menu: automatic and each rung. */
class Rungs {
  #playback;
  #drawn = "";

  constructor(playback) {
    this.#playback = playback;
    this.menu = h("div", { className: "menu", role: "menu", "aria-label": "Picture quality", hidden: true });
    this.button = iconButton("tune", "Picture quality", () => this.#toggle(), {
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    });
    this.element = h("div", { className: "menu-anchor" }, this.button, this.menu);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.#toggle(false);
    });
  }

  update() {
    const { levels, quality } = this.#playback;
    this.element.hidden = levels.length < 2;
    const drawn = JSON.stringify([quality, levels.map(({ index, name }) => [index, name])]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const choices = [{ index: -1, name: "Auto" }, ...levels];
    this.menu.replaceChildren(...choices.map((choice) => this.#item(choice, quality)));
  }

  #item({ index, name, bitrate }, quality) {
    const chosen = index === quality;
    return h(
      "button",
      {
        type: "button",
        className: "menu-item",
        role: "menuitemradio",
        "aria-checked": String(chosen),
        onclick: () => {
          this.#playback.quality = index;
          this.#toggle(false);
          this.button.focus();
        },
      },
      h("span", { className: "menu-tick" }, chosen ? icon("check") : ""),
      h("span", { className: "menu-name" }, name),
      bitrate ? h("span", { className: "menu-note" }, `${(bitrate / 1e6).toFixed(1)} Mbit/s`) : null,
    );
  }

  #toggle(open = this.menu.hidden) {
    this.menu.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) (this.menu.querySelector('[aria-checked="true"]') ?? this.menu.firstElementChild)?.focus();
  }

  #key(event) {
    const items = [...this.menu.children];
    const here = items.indexOf(event.target);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !this.menu.hidden) {
      this.#toggle(false);
      this.button.focus();
    } else if (step !== undefined && here >= 0) {
      items[(here + step + items.length) % items.length].focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

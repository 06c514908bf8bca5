/** The picture of a show that is on, kept fresh; until there is one, a lamp in a dark window. */

import { urls } from "./api.js";
import { h } from "./dom.js";

/** As long as the server keeps one. All who look within it ask for the same address, so caches help. */
const FRESH_MS = 10_000;

export class LivePoster {
  #channel;
  #asked = null;

  constructor(channel) {
    this.#channel = channel;
    this.element = h("span", { className: "show-window", "aria-hidden": "true" }, h("span", { className: "brand-mark" }));
  }

  /** Show the newest picture, as soon as it is here; one that does not come leaves what is shown. */
  async freshen(now = Date.now()) {
    const turn = Math.floor(now / FRESH_MS);
    if (turn === this.#asked) return;
    this.#asked = turn;
    const picture = h("img", { alt: "", src: urls.livePoster(this.#channel, turn) });
    try {
      await picture.decode();
    } catch {
      return;
    }
    if (turn !== this.#asked) return; // a later one is on its way, or here
    this.element.dataset.shape = picture.naturalHeight > picture.naturalWidth ? "portrait" : "landscape";
    this.element.replaceChildren(picture);
  }
}

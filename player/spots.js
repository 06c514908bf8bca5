/** The layer over the picture: a hot-spot on each burned-in card, or the card itself. */

import { h, setBox } from "./dom.js";
import { cardRect, grow, placeRect } from "./geometry.js";
import { isRtl } from "./locale.js";
import { formatPrice, priceOf } from "./money.js";
import { card } from "./product.js";

const TARGET = 44;

export class Spots {
  element = h("div", { className: "spots" });
  #open;
  #made = new Map();
  #picture = { x: 0, y: 0, width: 0, height: 0 };

  /** `open(productId)` is called when a shopper chooses what is shown. */
  constructor(open) {
    this.#open = open;
  }

  /** Show a spot for each interval that is on; others go. `productOf(interval)` names it. */
  show(intervals, { mode, corner, locale }, productOf) {
    const wanted = mode === "off" ? [] : intervals.filter((item) => mode === "client" || item.rect);
    const keep = new Set(wanted.map(({ id }) => id));
    for (const [id, { button }] of this.#made) {
      if (keep.has(id)) continue;
      button.remove();
      this.#made.delete(id);
    }
    for (const interval of wanted) {
      const product = productOf(interval);
      if (product) this.#put(interval, product, mode, corner, locale);
    }
  }

  /** Tell where the picture lies; every spot moves with it. */
  place(picture) {
    this.#picture = picture;
    for (const spot of this.#made.values()) this.#placeOne(spot);
  }

  #put(interval, product, mode, corner, locale) {
    const place = (aspect) => interval.rect ?? cardRect(interval.slot, aspect, corner, isRtl(locale));
    const drawn = JSON.stringify([mode, product, locale]);
    let spot = this.#made.get(interval.id);
    if (!spot) {
      const button = h("button", { type: "button", onclick: () => this.#open(interval.productId) });
      spot = { button, place, drawn: "" };
      this.#made.set(interval.id, spot);
      this.element.append(button);
    }
    spot.place = place;
    this.#placeOne(spot);
    if (spot.drawn === drawn) return;
    spot.drawn = drawn;
    const price = formatPrice(priceOf(product).now, locale);
    spot.button.className = mode === "client" ? "spot spot-card" : "spot";
    spot.button.dataset.product = interval.productId;
    spot.button.setAttribute("aria-label", `${product.title}, ${price}. Show product`);
    spot.button.replaceChildren(...(mode === "client" ? [card(product, locale)] : []));
  }

  #placeOne({ button, place }) {
    const { width, height } = this.#picture;
    if (!(width > 0 && height > 0)) return;
    setBox(button, grow(placeRect(place(width / height), this.#picture), TARGET));
  }
}

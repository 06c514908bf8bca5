/** The layer over the picture: a hot-spot on each burned-in card, or the card itself. */

import { h, setBox } from "./dom.js";
import { grow, placeRect } from "./geometry.js";
import { formatPrice, priceOf } from "./money.js";
import { card } from "./product.js";

const TARGET = 44;
const SAFE = 0.05;

/**
 * Place a card that the page draws itself: stacked by slot up from the lower left, above the
 * lower quarter in portrait, where the page's controls lie. Fractions of the picture.
 */
export function clientRect(slot, aspect) {
  const portrait = aspect < 1;
  const width = portrait ? 0.62 : 0.34;
  const height = Math.min(0.24, (width * aspect) / 3.1);
  const floor = portrait ? 0.75 : 1 - SAFE;
  return { x: SAFE, y: floor - height - slot * (height + 0.02), width, height };
}

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
  show(intervals, mode, productOf, locale) {
    const wanted = mode === "off" ? [] : intervals.filter((item) => mode === "client" || item.rect);
    const keep = new Set(wanted.map(({ id }) => id));
    for (const [id, { button }] of this.#made) {
      if (keep.has(id)) continue;
      button.remove();
      this.#made.delete(id);
    }
    wanted.forEach((interval, order) => {
      const product = productOf(interval);
      if (product) this.#put(interval, order, mode, product, locale);
    });
  }

  /** Tell where the picture lies; every spot moves with it. */
  place(picture) {
    this.#picture = picture;
    for (const { button, rect } of this.#made.values()) this.#placeOne(button, rect);
  }

  #put(interval, order, mode, product, locale) {
    const { width, height } = this.#picture;
    const aspect = height > 0 ? width / height : 16 / 9;
    const rect = interval.rect ?? clientRect(interval.slot ?? order, aspect);
    const drawn = JSON.stringify([mode, product, locale]);
    let spot = this.#made.get(interval.id);
    if (!spot) {
      const button = h("button", { type: "button", onclick: () => this.#open(interval.productId) });
      spot = { button, rect, drawn: "" };
      this.#made.set(interval.id, spot);
      this.element.append(button);
    }
    spot.rect = rect;
    this.#placeOne(spot.button, rect);
    if (spot.drawn === drawn) return;
    spot.drawn = drawn;
    const price = formatPrice(priceOf(product).now, locale);
    spot.button.className = mode === "client" ? "spot spot-card" : "spot";
    spot.button.dataset.product = interval.productId;
    spot.button.setAttribute("aria-label", `${product.title}, ${price}. Show product`);
    spot.button.replaceChildren(...(mode === "client" ? [card(product, locale)] : []));
  }

  #placeOne(button, rect) {
    setBox(button, grow(placeRect(rect, this.#picture), TARGET));
  }
}

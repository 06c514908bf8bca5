/** The studio's products: numbered tiles that are switches. */

import { h, icon, setText } from "./dom.js";
import { picture, prices } from "./product.js";
import { clock as clockOf } from "./reel.js";

/** Write a span of time as 0:07, 12:34 or 1:02:03. */
export function clock(milliseconds) {
  return clockOf(milliseconds / 1000);
}

export class Tiles {
  #list;
  #toggle;
  #made = new Map();

  constructor(list, toggle) {
    this.#list = list;
    this.#toggle = toggle;
  }

  /** Show `products` in order; `pins` maps product ids to open intervals, `waiting` holds ids. */
  draw(products, pins, waiting, locale) {
    const keep = new Set(products.map(({ id }) => id));
    for (const [id, tile] of this.#made) {
      if (keep.has(id)) continue;
      tile.element.remove();
      this.#made.delete(id);
    }
    products.forEach((product, n) => {
      const tile = this.#tile(product, n, locale);
      if (this.#list.children[n] !== tile.element) this.#list.insertBefore(tile.element, this.#list.children[n] ?? null);
      tile.pin = pins.get(product.id) ?? null;
      tile.element.classList.toggle("tile-on-air", tile.pin !== null);
      tile.element.classList.toggle("tile-waiting", waiting.has(product.id));
      tile.button.setAttribute("aria-pressed", String(tile.pin !== null));
      tile.button.setAttribute("aria-busy", String(waiting.has(product.id)));
    });
    this.tick(Date.now());
  }

  /** Count on: how long each product is on show. */
  tick(now) {
    for (const { pin, since } of this.#made.values()) {
      setText(since, pin ? `On air ${clock(now - pin.start)}` : "");
    }
  }

  #tile(product, n, locale) {
    const drawn = JSON.stringify([product, n, locale]);
    const old = this.#made.get(product.id);
    if (old?.drawn === drawn) return old;
    const since = h("span", { className: "tile-since" });
    // A double click (detail 2) is one press; the keyboard's is 0.
    const button = h(
      "button",
      { type: "button", className: "tile-switch", "aria-pressed": "false", onclick: ({ detail }) => detail < 2 && this.#toggle(product) },
      picture(product),
      n < 9 ? h("kbd", { className: "tile-key", "aria-hidden": "true" }, String(n + 1)) : null,
      h("span", { className: "tile-text" }, since, h("span", { className: "tile-title" }, product.title), prices(product, locale)),
      h("span", { className: "tile-pin" }, icon("pin")),
    );
    if (n < 9) button.setAttribute("aria-keyshortcuts", String(n + 1));
    const tile = { drawn, button, since, pin: null, element: h("li", { className: "tile" }, button) };
    if (old) {
      const focused = old.button === document.activeElement;
      old.element.replaceWith(tile.element);
      if (focused) button.focus();
    }
    this.#made.set(product.id, tile);
    return tile;
  }
}

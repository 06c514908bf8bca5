/** Drawers over the player: the bag and a product's sheet. */

import { h, iconButton } from "./dom.js";
import { buyLink, goneWord, isGone, ordered, picture, prices, row } from "./product.js";

/** A modal drawer: focus stays in, Escape and a click beside it close it. */
class Drawer {
  constructor(className, label) {
    this.body = h("div", { className: "drawer-body" });
    this.heading = h("h2", { className: "drawer-heading" }, label);
    this.element = h(
      "dialog",
      { className: `drawer ${className}`, "aria-label": label },
      h("header", { className: "drawer-head" }, this.heading, iconButton("close", "Close", () => this.close())),
      this.body,
    );
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.close();
    });
  }

  get open() {
    return this.element.open;
  }

  show() {
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }
}

/** All products of the channel. */
export class Bag extends Drawer {
  #open;
  #drawn = "";

  /** `open(product)` is called for the product that a shopper chooses. */
  constructor(open) {
    super("bag", "In this show");
    this.#open = open;
  }

  /** `none`: what to say where there are no products. */
  update(products, onAir, locale, none) {
    const now = JSON.stringify([none, locale, [...products.values()], [...onAir]]);
    if (now === this.#drawn) return;
    this.#drawn = now;
    if (products.size === 0) {
      this.body.replaceChildren(h("p", { className: "empty" }, none));
      return;
    }
    const rows = ordered(products.values(), onAir).map((product) =>
      row(product, { locale, onAir: onAir.has(product.id), open: this.#open }),
    );
    this.body.replaceChildren(h("ul", { className: "rows" }, ...rows));
  }
}

/** One product, with the way to buy it. */
export class Sheet extends Drawer {
  productId = null;

  constructor() {
    super("sheet", "Product");
  }

  view(product, locale) {
    this.productId = product.id;
    this.element.setAttribute("aria-label", product.title);
    this.heading.textContent = product.brand || "From the show";
    const gone = isGone(product);
    const buy = gone ? null : buyLink(product);
    this.body.replaceChildren(
      picture(product),
      h(
        "div",
        { className: "sheet-text" },
        h("h3", { className: "sheet-title" }, product.title),
        prices(product, locale),
        stockLine(product),
        product.description ? h("p", { className: "sheet-description" }, product.description) : null,
      ),
      h(
        "div",
        { className: "sheet-foot" },
        buy ?? h("p", { className: "sheet-no-buy" }, gone ? goneWord(product) : "Ask the host how to get this one."),
      ),
    );
    this.show();
  }
}

function stockLine({ stock }) {
  if (!Number.isInteger(stock) || stock <= 0 || stock > 20) return null;
  return h("p", { className: "stock" }, `Only ${stock} left`);
}

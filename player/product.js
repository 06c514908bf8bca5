/** How a product looks: picture, prices, card and row. Data goes in as text only. */

import { pictureUrl, webUrl } from "./api.js";
import { h, icon } from "./dom.js";
import { formatPrice, priceOf } from "./money.js";

/** Make a product's picture, or its initial where there is none or it does not load. */
export function picture(product) {
  const initial = () => h("span", { className: "picture-initial", "aria-hidden": "true" }, [...(product.title ?? "?")][0] ?? "?");
  const frame = h("span", { className: "picture" });
  const url = pictureUrl(product.image ?? product.images?.[0]);
  if (url === null) {
    frame.append(initial());
    return frame;
  }
  const image = h("img", { src: url, alt: "", decoding: "async", draggable: false });
  image.addEventListener("error", () => frame.replaceChildren(initial()), { once: true });
  frame.append(image);
  return frame;
}

/** Make a price: now, struck-through before, discount. Read out as "now ..., was ...". */
export function prices(product, locale) {
  const { now, was, off } = priceOf(product);
  if (!now) return null;
  return h(
    "span",
    { className: was ? "prices prices-sale" : "prices" },
    h("span", { className: "price" }, formatPrice(now, locale)),
    was && h("s", { className: "price-was" }, h("span", { className: "unseen" }, "was "), formatPrice(was, locale)),
    off > 0 && h("span", { className: "price-off" }, `\u2212${off}%`),
  );
}

/** Tell whether there is none left to buy. */
export function isGone({ availability, stock }) {
  return availability === "out_of_stock" || stock === 0;
}

/** Say why there is none left. */
export function goneWord({ removed }) {
  return removed ? "No longer sold" : "Sold out";
}

/** Make the link that leads to the shop, or null when the product has no (web) link. */
export function buyLink(product, label = "Buy now") {
  const url = webUrl(product.link);
  if (url === null) return null;
  return h(
    "a",
    { className: "buy", href: url, target: "_blank", rel: "noopener noreferrer" },
    label,
    icon("out"),
    h("span", { className: "unseen" }, ` ${product.title} (opens the shop in a new tab)`),
  );
}

/** Make a row of a product list. `open` is called when a shopper wants to see more. */
export function row(product, { locale, onAir = false, open }) {
  return h(
    "li",
    { className: onAir ? "row row-on-air" : "row", "data-product": product.id },
    h(
      "button",
      { type: "button", className: "row-open", onclick: () => open(product) },
      picture(product),
      h(
        "span",
        { className: "row-text" },
        onAir ? h("span", { className: "on-air" }, "Showing now") : null,
        h("span", { className: "row-title" }, product.title),
        prices(product, locale),
      ),
    ),
    isGone(product) ? h("span", { className: "gone" }, goneWord(product)) : buyLink(product, "Buy"),
  );
}

/** Make the card that the page draws itself where the picture is left clean. */
export function card(product, locale) {
  return h(
    "span",
    { className: "card" },
    picture(product),
    h("span", { className: "card-text" }, h("span", { className: "card-title" }, product.title), prices(product, locale)),
  );
}

/** Order a list: what is shown now first, then as the shop lists them. */
export function ordered(products, onAir) {
  const list = [...products];
  return [...list.filter(({ id }) => onAir.has(id)), ...list.filter(({ id }) => !onAir.has(id))];
}

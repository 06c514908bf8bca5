/** A product's explanation in a recording, as a row to jump to it and to buy. */

import { h } from "./dom.js";
import { priceOf } from "./money.js";
import { buyLink, goneWord, isGone, picture, prices } from "./product.js";
import { clock, spoken } from "./reel.js";

/**
 * Say what has become of the offer, or null. `asked`: what the cards asked for, as `price` and
 * `sale_price` of products, null where that is not known; `now`: the product as it is.
 */
export function sinceThen(asked, now) {
  if (isGone(now)) return null;
  const after = priceOf(now);
  const lapsed = (then) => {
    const before = priceOf(then);
    if (!before.now || !after.now || before.off === 0 || before.now.currency !== after.now.currency) return false;
    return after.now.amount > before.now.amount;
  };
  return asked.some((then) => then !== null && lapsed(then)) ? "Offer ended" : null;
}

/**
 * Make the row of a stretch (reel.js) of `product`, which is as it is now. `jump(stretch)` shows the
 * explanation; `current`: it is on the screen now.
 */
export function chapter(stretch, product, { locale, current, jump }) {
  const { intervals, from } = stretch;
  const ended = sinceThen(intervals.map(({ asked }) => asked), product);
  const gone = isGone(product);
  return h(
    "li",
    { className: current ? "row row-on-air" : "row", "data-product": stretch.id },
    h(
      "button",
      {
        type: "button",
        className: "row-open",
        "aria-current": current ? "true" : null,
        "aria-label": `${product.title}: jump to the explanation at ${spoken(from)}`,
        onclick: () => jump(stretch),
      },
      h("span", { className: "chapter-picture" }, picture(product), h("span", { className: "chapter-time" }, clock(from))),
      h(
        "span",
        { className: "row-text" },
        current ? h("span", { className: "on-air" }, "Showing now") : null,
        h("span", { className: "row-title" }, product.title),
        prices(product, locale),
        ended ? h("span", { className: "ended" }, ended) : null,
      ),
    ),
    gone ? h("span", { className: "gone" }, goneWord(product)) : buyLink(product, "Buy"),
  );
}

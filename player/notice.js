/** The words over an empty picture. */

import { h, setText } from "./dom.js";
import { Notice } from "./phase.js";

const WORDS = {
  [Notice.LOADING]: ["", ""],
  [Notice.SOON]: ["Starts soon", "The host is not on air yet. Stay here: the show begins by itself."],
  [Notice.ENDED]: ["The show has ended", "Thank you for watching. Everything that was shown is still listed on this page."],
  [Notice.INTERRUPTED]: ["Back in a moment", "The host\u2019s connection dropped. The show goes on by itself as soon as it is back."],
  [Notice.UNREACHABLE]: ["No connection", "We cannot reach the show and keep trying. If it lasts, check your connection."],
  [Notice.MISSING]: ["This show does not exist", "The address may be mistyped, or the shop has taken the show down."],
  [Notice.DENIED]: ["Your ticket does not open this show", "It may have expired. Open the show again from where you got it."],
  [Notice.UNSUPPORTED]: ["This browser cannot play the show", "Please open the page in a current Chrome, Edge, Firefox or Safari."],
};

const ENDED_WITH_BAG = [WORDS[Notice.ENDED][0], "Thank you for watching. Everything that was shown is still in the bag."];

/** Give a notice's heading and text; `bag`: the player has one, the page lists nothing itself. */
export function wordsFor(notice, { bag = false } = {}) {
  if (bag && notice === Notice.ENDED) return ENDED_WITH_BAG;
  return WORDS[notice] ?? ["", ""];
}

export class NoticeBoard {
  #heading = h("h2", { className: "notice-heading" });
  #text = h("p", { className: "notice-text" });
  #shown = "";
  #offered = false;
  #link = h("a", { className: "notice-link", hidden: true });

  constructor() {
    this.words = h("div", { className: "notice-words", role: "status" }, this.#heading, this.#text);
    this.spinner = h("div", { className: "spinner", "aria-hidden": "true" });
    this.element = h("div", { className: "notice", hidden: true }, this.spinner, this.words, this.#link);
  }

  /** Offer something else, `{href, text}`, while nothing is on; null: nothing. */
  offer(link) {
    this.#offered = link !== null;
    if (link !== null) {
      this.#link.href = link.href;
      setText(this.#link, link.text);
    }
    this.#showLink();
  }

  #showLink() {
    this.#link.hidden = !(this.#offered && [Notice.SOON, Notice.ENDED].includes(this.#shown));
  }

  show(notice, { bag = false } = {}) {
    const [heading, text] = wordsFor(notice, { bag });
    setText(this.#heading, heading);
    setText(this.#text, text);
    if (notice === this.#shown) return;
    this.#shown = notice;
    this.element.hidden = notice === Notice.NONE;
    this.element.dataset.notice = notice;
    const waiting = [Notice.LOADING, Notice.INTERRUPTED, Notice.UNREACHABLE].includes(notice);
    this.spinner.hidden = !waiting;
    this.#showLink();
  }
}

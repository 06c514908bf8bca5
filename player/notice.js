/** The words over an empty picture. */

import { h, setText } from "./dom.js";
import { EXPIRED, Notice } from "./phase.js";

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

const TICKET_OVER = ["Your ticket has expired", "Get a new one where you got it."];

const ENDED_WITH_BAG = [WORDS[Notice.ENDED][0], "Thank you for watching. Everything that was shown is still in the bag."];
const ENDED_WITHOUT_PRODUCTS = [WORDS[Notice.ENDED][0], "Thank you for watching."];

/** What stands where products would: after the end none are to come. */
export function wordsOfNone(notice) {
  return notice === Notice.ENDED ? "There were no products in this show." : "Products appear here as soon as the shop adds them.";
}

/** Whether and when there is another show nobody knows: only the first one is promised. */
const SOON_AGAIN = ["Not live right now", "The next show begins here by itself."];
const SOON_WITH_LAST = [SOON_AGAIN[0], `${SOON_AGAIN[1]} Until then, watch the last one.`];

/** In the studio's preview: what viewers are told is no news to who is the host. */
const FOR_HOST = {
  [Notice.SOON]: ["Off air", "What viewers see appears here when you begin."],
  [Notice.ENDED]: ["Off air", "The show has ended. What viewers see appears here when you begin again."],
  [Notice.INTERRUPTED]: ["Waiting for your encoder", "Viewers are told that you will be right back."],
  [Notice.UNREACHABLE]: ["No connection", "This page cannot reach the server and keeps trying."],
  [Notice.DENIED]: ["No preview", "The ticket of this preview is no longer good. Load this page anew for another one."],
};

/**
 * Give a notice's heading and text; `bag`: the player has one, the page lists nothing itself;
 * `empty`: there are no products; `again`: there were shows; `offered`: the last one is; `host`: they
 * are for who runs the channel; `refused`: why, as the code of the server's problem.
 */
export function wordsFor(notice, { bag = false, empty = false, again = false, offered = false, host = false, refused = "" } = {}) {
  if (host && FOR_HOST[notice]) return FOR_HOST[notice];
  if (notice === Notice.DENIED && refused === EXPIRED) return TICKET_OVER;
  if (notice === Notice.SOON && offered) return SOON_WITH_LAST;
  if (notice === Notice.SOON && again) return SOON_AGAIN;
  if (notice === Notice.ENDED && empty) return ENDED_WITHOUT_PRODUCTS;
  if (bag && notice === Notice.ENDED) return ENDED_WITH_BAG;
  return WORDS[notice] ?? ["", ""];
}

export class NoticeBoard {
  #heading = h("h2", { className: "notice-heading" });
  #text = h("p", { className: "notice-text" });
  #shown = "";
  #how = {};
  #offered = false;
  #link = h("a", { className: "notice-link", rel: "noopener", hidden: true });

  constructor() {
    this.words = h("div", { className: "notice-words", role: "status" }, this.#heading, this.#text);
    this.spinner = h("div", { className: "spinner", "aria-hidden": "true" });
    this.element = h("div", { className: "notice", hidden: true }, this.spinner, this.words, this.#link);
  }

  /** Offer something else, `{href, target, text}`, while nothing is on; null: nothing. */
  offer(link) {
    this.#offered = link !== null;
    if (link !== null) {
      this.#link.href = link.href;
      this.#link.target = link.target ?? "";
      setText(this.#link, link.text);
    }
    this.#showLink();
    this.#say();
  }

  #say() {
    const [heading, text] = wordsFor(this.#shown, { ...this.#how, offered: this.#offered });
    setText(this.#heading, heading);
    setText(this.#text, text);
  }

  #showLink() {
    this.#link.hidden = !(this.#offered && [Notice.SOON, Notice.ENDED].includes(this.#shown));
  }

  /** `how`: as `wordsFor` takes it. */
  show(notice, how = {}) {
    const same = notice === this.#shown;
    this.#shown = notice;
    this.#how = how;
    this.#say();
    if (same) return;
    this.element.hidden = notice === Notice.NONE;
    this.element.dataset.notice = notice;
    const waiting = [Notice.LOADING, Notice.INTERRUPTED, Notice.UNREACHABLE].includes(notice);
    this.spinner.hidden = !waiting;
    this.#showLink();
  }
}

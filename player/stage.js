/** The player's own page: video, layers and bar, and where each of them lies. */

import { h, icon, setBox, setText } from "./dom.js";
import { fitPicture } from "./geometry.js";
import { NoticeBoard } from "./notice.js";
import { Spots } from "./spots.js";

const IDLE_MS = 2_600;
/** The burned-in cards keep a 5 % margin: this much may be cut to fill a phone's screen. */
const CROP = 0.035;
/** Height of the bar under a landscape picture, in CSS pixels. */
const BAR = 56;

export class Stage {
  video = h("video", { playsInline: true, preload: "auto", disableRemotePlayback: true, tabIndex: -1, "aria-label": "Live show" });
  notice = new NoticeBoard();
  #badge = h("span", { className: "badge", hidden: true }, "Live");
  #viewers = h("span", { className: "viewers", hidden: true });
  #title = h("span", { className: "title" });
  #sound = h("button", { type: "button", className: "sound", hidden: true }, icon("muted"), "Tap for sound");
  #count = 0;
  #idle = 0;
  #size = new ResizeObserver(() => this.place());

  /** `openProduct(id)`: a hot-spot was chosen; `unmute()`: a shopper asked for sound. */
  constructor({ openProduct, unmute }) {
    this.spots = new Spots(openProduct);
    this.#sound.addEventListener("click", unmute);
    const top = h("div", { className: "top" }, this.#badge, this.#viewers, this.#title);
    const shade = h("div", { className: "shade" });
    this.element = h("div", { className: "stage" }, this.video, shade, this.spots.element, this.notice.element, top, this.#sound);
    this.#size.observe(this.element);
    for (const kind of ["pointermove", "pointerdown", "focusin"]) this.element.addEventListener(kind, () => this.#wake());
  }

  close() {
    this.#size.disconnect();
    clearTimeout(this.#idle);
  }

  /** The picture's pixels; null before the first. */
  get size() {
    const { videoWidth: width, videoHeight: height } = this.video;
    return width > 0 && height > 0 ? { width, height, portrait: height > width } : null;
  }

  /** Tell about the channel: its title, whether it is live, how many watch. */
  describe({ title = "", live, viewers, recorded = false }) {
    setText(this.#title, title);
    setText(this.#badge, recorded ? "Replay" : "Live");
    this.#badge.classList.toggle("badge-past", recorded);
    this.video.setAttribute("aria-label", recorded ? "Recorded show" : "Live show");
    this.#badge.hidden = !live && !recorded;
    this.#viewers.hidden = !(live && viewers > 0);
    if (this.#count === viewers) return;
    this.#count = viewers;
    const count = Intl.NumberFormat(undefined, { notation: "compact" }).format(viewers ?? 0);
    this.#viewers.replaceChildren(icon("eye"), count, h("span", { className: "unseen" }, " watching"));
  }

  /** The badge burns only for who watches live. */
  dim(late) {
    this.#badge.classList.toggle("badge-late", late);
  }

  /** Offer sound: the browser let the show start only in silence. */
  offerSound(offered) {
    this.#sound.hidden = !offered;
  }

  /** Lay the picture, its layers and the bar out anew. */
  place() {
    const { element, video, size } = this;
    const box = { width: element.clientWidth, height: element.clientHeight };
    const bleed = size?.portrait === true && box.height > box.width;
    const whole = fitPicture(box, size ?? { width: 0, height: 0 }, { crop: bleed ? CROP : 0, anchor: bleed ? 0 : 0.5 });
    // A landscape picture gets the bar under it where there is room: no card is ever covered.
    const spare = box.height - whole.height;
    const docked = size?.portrait === false && spare >= BAR;
    // With room on both sides the picture itself stands in the middle, the bar in the room below.
    const above = spare >= 2 * BAR ? spare / 2 : (spare - BAR) / 2;
    const picture = docked ? { ...whole, y: above } : whole;
    element.classList.toggle("stage-docked", docked);
    setBox(video, picture);
    this.spots.place(size ? picture : { x: 0, y: 0, width: 0, height: 0 });
    const { style } = element;
    style.setProperty("--picture-top", `${Math.max(0, picture.y)}px`);
    style.setProperty("--picture-bottom", `${picture.y + picture.height}px`);
    style.setProperty("--picture-left", `${Math.max(0, picture.x)}px`);
    style.setProperty("--picture-width", `${Math.min(box.width, picture.width)}px`);
  }

  /** A bar that lies over the picture goes away by itself; style/player.css says which do. */
  #wake() {
    const { element, video } = this;
    element.classList.remove("stage-idle");
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const inUse = element.querySelector(".bar :focus-visible, .menu:not([hidden]), .scrub-dragged");
      if (!inUse && !video.paused) element.classList.add("stage-idle");
    }, IDLE_MS);
  }
}

/** The end of the show, from the studio: asked once more where the button stands, then done. */

import { h, setText } from "./dom.js";

/** Tell whether there is a show to end: one whose encoder was lost is still on for viewers. */
export function canEnd(channel) {
  return channel?.state === "live" || channel?.state === "interrupted";
}

export class Ending {
  #begin = h("button", { type: "button", className: "studio-end", disabled: true, onclick: () => this.#ask() }, "End the show");
  #words = h("p", { id: "end-words" }, "End the show for everybody who watches? Stop streaming in your encoder, too.");
  #sure = h("button", { type: "button", className: "primary", onclick: () => this.#end() }, "End it");
  #leave = h("button", { type: "button", className: "studio-end", onclick: () => this.#close() }, "Stay on the air");
  #question;
  #stop;
  #possible = false;
  #busy = false;

  /** `stop()` ends the show and answers whether it did; what went wrong it tells by itself. */
  constructor(place, stop) {
    this.#stop = stop;
    this.#question = h(
      "div",
      { className: "end-question", hidden: true, role: "group", "aria-labelledby": "end-words" },
      this.#words,
      this.#sure,
      this.#leave,
    );
    this.#question.addEventListener("keydown", ({ key }) => key === "Escape" && this.#close());
    place.append(this.#begin, this.#question);
  }

  /** Once it is over, by whomever, there is nothing to ask any more. */
  draw(channel) {
    this.#possible = canEnd(channel);
    this.#begin.disabled = !this.#possible;
    if (!this.#possible) this.#show(false);
  }

  /** The way back has the focus: Enter twice ends no show. */
  #ask() {
    this.#show(true);
    this.#leave.focus();
  }

  #close() {
    if (this.#busy) return;
    this.#show(false);
    this.#begin.focus();
  }

  #show(asking) {
    this.#question.hidden = !asking;
    this.#begin.hidden = asking;
  }

  async #end() {
    if (this.#busy) return;
    this.#setBusy(true);
    const ended = await this.#stop();
    this.#setBusy(false);
    if (ended || !this.#possible) this.#show(false);
    else this.#sure.focus();
  }

  #setBusy(busy) {
    this.#busy = this.#sure.disabled = this.#leave.disabled = busy;
    setText(this.#sure, busy ? "Ending…" : "End it");
  }
}

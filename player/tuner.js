/** Keeps a live show tuned in: it begins, is taken over and ends without the page being loaded again. */

import { Phase } from "./phase.js";

/** After the end: how long what is buffered may still take. */
const SLACK_MS = 6_000;
/** After an interruption: how long the picture may take to go on by itself. */
const RESUME_MS = 2_500;

export class Tuner {
  #feed;
  #playback;
  #over;
  #session = null;
  #giveUp = 0;
  #resume = 0;

  /** `over()` is called once what was buffered of an ended show has been shown. */
  constructor(feed, playback, over) {
    this.#feed = feed;
    this.#playback = playback;
    this.#over = over;
  }

  /** Do what the channel's state asks for; to be called whenever it may have changed. */
  update() {
    const { channel, state, reachable } = this.#feed;
    const { phase } = this.#playback;
    const rest = phase === Phase.IDLE || phase === Phase.ENDED;
    const waited = this.#playback.patient;
    this.#playback.patient = state === "interrupted" || !reachable;
    if (waited && state === "live" && reachable) this.#seeThatItGoesOn();
    if (state === "live") {
      const anew = channel.session !== this.#session && phase !== Phase.PLAYING && phase !== Phase.PAUSED;
      this.#session = channel.session;
      // One that failed meanwhile would try again by itself, but not at once.
      if (rest || anew || (phase === Phase.FAILED && reachable)) this.#playback.start();
    }
    clearTimeout(this.#giveUp);
    if (state === "offline" && !rest) this.#giveUp = setTimeout(() => this.#stopWhenOver(), SLACK_MS);
  }

  close() {
    clearTimeout(this.#giveUp);
    clearTimeout(this.#resume);
  }

  /** A server that was started anew has another playlist, with which hls.js may not go on. */
  #seeThatItGoesOn() {
    clearTimeout(this.#resume);
    this.#resume = setTimeout(() => {
      if (this.#playback.phase === Phase.BUFFERING && this.#feed.state === "live") this.#playback.start();
    }, RESUME_MS);
  }

  /** Offline for a while: what was buffered has been shown; nothing more will come. */
  #stopWhenOver() {
    const { phase } = this.#playback;
    if (phase === Phase.PLAYING || phase === Phase.PAUSED) {
      this.#giveUp = setTimeout(() => this.#stopWhenOver(), SLACK_MS);
      return;
    }
    this.#playback.stop();
    this.#over();
  }
}

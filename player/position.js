/** Where in its show the picture is: media time, dates, and the live point. Reads, changes nothing. */

import { dateInList, pastGap, timeOf } from "./axis.js";

/** What a viewer may be behind the live point and still be at live. */
export const BEHIND_SECONDS = 3;

export class Position {
  #video;
  #hls;
  #recorded;

  /** `hls()` gives the hls.js that plays it; null: the browser does. `recorded`: the show is over. */
  constructor(video, hls, recorded) {
    this.#video = video;
    this.#hls = hls;
    this.#recorded = recorded;
  }

  /** Seconds of media time. */
  get time() {
    return this.#video.currentTime;
  }

  /** Seconds behind where a viewer at the live point would be; 0 when not known. */
  get behind() {
    const { edge } = this;
    return edge === null ? 0 : Math.max(0, edge - this.#video.currentTime);
  }

  get atLive() {
    return this.behind < BEHIND_SECONDS;
  }

  /** Whether more is to come; a live show that has ended is one no more. */
  get isLive() {
    return !this.#recorded && (this.#list()?.live ?? true);
  }

  /** The live point, seconds of media time; null when not known, or when there is none. */
  get edge() {
    if (this.#recorded) return null;
    const hls = this.#hls();
    if (hls) return hls.liveSyncPosition ?? null;
    const { seekable } = this.#video;
    return seekable.length ? seekable.end(seekable.length - 1) - BEHIND_SECONDS : null;
  }

  /** What can be shown, `{start, end}` in seconds; of a live show up to the live point. Or null. */
  get range() {
    const { seekable, duration } = this.#video;
    const fragments = this.#list()?.fragments ?? [];
    if (!this.isLive && Number.isFinite(duration)) return { start: fragments[0]?.start ?? 0, end: duration };
    const end = this.edge;
    if (end === null) return null;
    return { start: fragments[0]?.start ?? (seekable.length ? seekable.start(0) : end), end };
  }

  /** The media time of a date (UTC ms): -Infinity when it is no longer there; null: not known. */
  timeAt(date) {
    if (this.#hls()) return timeOf(this.#list()?.fragments ?? [], date);
    const start = this.#video.getStartDate?.().getTime();
    return Number.isFinite(start) ? (date - start) / 1000 : null;
  }

  /** UTC milliseconds of the picture at `mediaTime`, on the PROGRAM-DATE-TIME axis; or null. */
  dateAt(mediaTime = this.#video.currentTime) {
    const hls = this.#hls();
    if (hls) return dateInList(this.#list(), mediaTime) ?? hls.playingDate?.getTime() ?? null;
    const start = this.#video.getStartDate?.().getTime();
    return Number.isFinite(start) ? start + mediaTime * 1000 : null;
  }

  /** The next moment from `time` on that there is a picture of; null where none is left. */
  after(time) {
    return pastGap(this.#list()?.fragments ?? [], time);
  }

  /** The playlist that is loaded, as hls.js has read it; or null. */
  #list() {
    const hls = this.#hls();
    return hls?.latestLevelDetails ?? hls?.levels[hls.currentLevel]?.details ?? null;
  }
}

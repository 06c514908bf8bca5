/** Plays one show, live or recorded, in one video element, and keeps at it. */

import { backoff } from "./backoff.js";
import { CATCH_UP_RATE, configOf, loadHls } from "./engine.js";
import { measure } from "./measure.js";
import { keepNear } from "./nearness.js";
import { Phase } from "./phase.js";
import { BEHIND_SECONDS, Position } from "./position.js";

/** So far behind without having asked for it, as after an hour in the background, there is a leap. */
const LOST_SECONDS = 12;
/** The oldest segment leaves the list while it is loaded: nobody is led closer to it. */
const MARGIN_SECONDS = 4;
const STALL_MS = 8_000;
const WATCH_MS = 1_000;
/** So long a picture stands still at a gap before it is passed over. */
const GAP_MS = 1_500;
const LAST_PICTURE_SECONDS = 0.1;

/**
 * Events: `phase` (see Phase), `levels` (the ladder or the chosen rung changed), `sound` (what
 * is heard changed), `behind` (paused, and live went on meanwhile: each second). Errors are not events: it recovers, or says Phase.FAILED and tries again.
 */
export class Playback extends EventTarget {
  phase = Phase.IDLE;
  /** Nothing is expected to come for now: a picture that stands still is no fault. */
  patient = false;
  /** What went wrong last, for the figures panel. */
  fault = "";
  /** In Phase.DENIED: why, as the code of the server's problem; "" where it did not say. */
  refused = "";
  /** Where in its show the picture is. */
  position;
  #video;
  #source;
  #hls = null;
  #wanted = false;
  #tries = 0;
  #timer = 0;
  #watch = 0;
  #progress = { time: 0, at: 0 };
  #mediaFaults = [];
  #chosen = -1;
  #behindOnPurpose = false;
  /** Paused: what is loaded anew meanwhile does not begin to play by itself. */
  #resting = false;
  #recorded;
  /** Where to begin: seconds in a recording, a date (UTC ms) in a live show; null: where it does. */
  #begin;
  #abort = new AbortController();
  #engine;

  /**
   * `recorded`: it is over and can be played from anywhere, from `begin` (seconds) at first.
   * `engine()` resolves with hls.js.
   */
  constructor(video, source, { recorded = false, begin = null, engine = loadHls } = {}) {
    super();
    this.#engine = engine;
    this.#video = video;
    this.#source = source;
    this.#recorded = recorded;
    this.#begin = recorded ? begin : null;
    this.position = new Position(video, () => this.#hls, recorded);
    const on = (kind, act) => video.addEventListener(kind, act, { signal: this.#abort.signal });
    on("playing", () => this.#playing());
    on("waiting", () => this.#wanted && this.#set(Phase.BUFFERING));
    on("pause", () => this.#paused());
    on("loadeddata", () => this.#resting && this.#begin !== null && this.#goBack());
    on("ended", () => this.#set(Phase.ENDED));
    on("volumechange", () => this.#tell("sound"));
    on("error", () => !this.#hls && this.#wanted && this.#fail("native playback"));
  }

  /** Start, or start anew. Safe to call again. */
  async start() {
    this.stop();
    this.#set(Phase.LOADING);
    await this.#load();
  }

  async #load() {
    this.#wanted = true;
    if (this.#begin === null) this.#behindOnPurpose = false;
    this.#progress = { time: 0, at: 0 };
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    let Hls;
    try {
      Hls = await this.#engine();
    } catch {
      this.#fail("hls.js did not load");
      return;
    }
    if (!this.#wanted || this.#hls) return;
    if (Hls.isSupported()) this.#attach(Hls);
    else if (this.#video.canPlayType("application/vnd.apple.mpegurl")) this.#native();
    else this.#set(Phase.UNSUPPORTED);
  }

  /** Let go of the stream; the last picture is cleared. */
  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    this.#detach();
    this.#set(Phase.IDLE);
  }

  close() {
    this.stop();
    this.#abort.abort();
  }

  /** Play; with sound where the browser lets us, else muted. */
  async play() {
    this.#resting = false;
    // A moment's pause is made up for; who has been away longer stays where they are.
    if (this.#behindOnPurpose && this.position.atLive) this.#stayBehind(false);
    this.#keepInRange();
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      if (this.#video.muted) {
        this.#set(Phase.PAUSED);
        return;
      }
      this.#video.muted = true;
      this.#video.dataset.silenced = "true";
      await this.#video.play().catch(() => this.#set(Phase.PAUSED));
    }
  }

  pause() {
    this.#stayBehind(true);
    this.#video.pause();
  }

  /** Show another moment, in seconds of media time; the end of what there is of a live show is live. */
  seek(time) {
    const { range, isLive } = this.position;
    if (range === null) return;
    if (isLive && time > range.end - 1) {
      this.goLive();
      return;
    }
    const first = isLive ? Math.min(range.start + MARGIN_SECONDS, range.end) : range.start;
    // At the very end a browser shows no new picture.
    const last = isLive ? range.end : range.end - LAST_PICTURE_SECONDS;
    this.#stayBehind(true);
    const wanted = Math.max(Math.min(Math.max(time, first), last), 0);
    this.#video.currentTime = this.position.after(wanted) ?? wanted;
  }

  goLive() {
    if (!this.#recorded) this.#begin = null;
    this.#stayBehind(false);
    const { edge, behind } = this.position;
    if (edge !== null && behind > 0.5) this.#video.currentTime = edge;
    if (this.#video.paused) this.play();
  }

  /** Rungs, best first: `{index, name, height, bitrate}`; empty where the browser chooses. */
  get levels() {
    return (this.#hls?.levels ?? [])
      .map(({ width, height, bitrate }, index) => ({
        index,
        name: `${Math.min(width, height)}p`,
        height,
        bitrate,
      }))
      .sort((a, b) => b.bitrate - a.bitrate);
  }

  /** The chosen rung's index; -1: automatic. */
  get quality() {
    return this.#chosen;
  }

  set quality(index) {
    this.#chosen = index;
    if (this.#hls) this.#hls.nextLevel = index;
    this.#tell("levels");
  }

  /** Figures for people who ask; see `measure`. */
  figures(now = Date.now()) {
    return measure(this.#video, this.#hls, this.position.dateAt(), this.fault, now);
  }

  #attach(Hls) {
    const hls = new Hls(configOf(this.#recorded, this.#begin));
    this.#hls = hls;
    this.#stayBehind(this.#behindOnPurpose);
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      if (this.#chosen >= hls.levels.length) this.#chosen = -1;
      if (this.#chosen >= 0) hls.nextLevel = this.#chosen;
      this.#tell("levels");
      this.#playUnlessPaused();
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, () => this.#tell("levels"));
    hls.on(Hls.Events.ERROR, (_, data) => this.#hlsFault(Hls, data));
    if (!this.#recorded) keepNear(hls, Hls.Events, () => this.#behindOnPurpose);
    hls.loadSource(this.#source);
    hls.attachMedia(this.#video);
  }

  #native() {
    const begin = this.#recorded && this.#begin ? `#t=${this.#begin}` : "";
    this.#video.src = this.#source + begin;
    this.#playUnlessPaused();
  }

  #playUnlessPaused() {
    if (this.#resting) this.#set(Phase.PAUSED);
    else this.play();
  }

  #paused() {
    const gone = this.phase === Phase.FAILED || this.phase === Phase.DENIED;
    if (!this.#wanted || this.#video.ended || gone) return;
    this.#resting = true;
    this.#set(Phase.PAUSED);
  }

  /** Loaded anew: who watched an earlier moment goes on there, if it is still to be had. */
  #goBack() {
    if (this.#recorded) return;
    const time = this.position.timeAt(this.#begin);
    this.#begin = null;
    if (Number.isFinite(time)) this.seek(time);
    else this.#stayBehind(false);
  }

  /** Whether the distance to live is the shopper's choice: then nothing is done to shorten it. */
  #stayBehind(chosen) {
    this.#behindOnPurpose = chosen;
    if (this.#recorded) return;
    if (this.#hls) this.#hls.config.maxLiveSyncPlaybackRate = chosen ? 1 : CATCH_UP_RATE;
    if (chosen && this.#video.playbackRate !== 1) this.#video.playbackRate = 1;
  }

  #hlsFault(Hls, data) {
    if (!data.fatal || this.#hls === null) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.#mayRecoverMedia()) {
      this.#hls.recoverMediaError();
      return;
    }
    const denied = [401, 403].includes(data.response?.code);
    if (denied) this.refused = codeOf(data.networkDetails);
    this.#fail(data.details, denied ? Phase.DENIED : Phase.FAILED);
  }

  /** Twice in 10 s the decoder may be rebuilt; after that the stream is loaded anew. */
  #mayRecoverMedia(now = performance.now()) {
    this.#mediaFaults = this.#mediaFaults.filter((at) => now - at < 10_000);
    return this.#mediaFaults.push(now) <= 2;
  }

  #fail(fault, phase = Phase.FAILED) {
    this.fault = fault;
    if (this.#recorded) this.#begin = this.#video.currentTime || this.#begin;
    else this.#begin = this.#behindOnPurpose ? (this.#begin ?? this.position.dateAt()) : null;
    this.#detach();
    clearInterval(this.#watch);
    this.#set(phase);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tryAgain(), backoff(this.#tries++));
  }

  #tryAgain() {
    // Who was refused is told so until they are let in: no use in taking it back for each try.
    if (this.phase !== Phase.DENIED) this.#set(Phase.LOADING);
    this.#load();
  }

  #detach() {
    this.#hls?.destroy();
    this.#hls = null;
    if (this.#video.hasAttribute("src")) {
      this.#video.removeAttribute("src");
      this.#video.load();
    }
  }

  #playing() {
    this.#tries = 0;
    this.#set(Phase.PLAYING);
    this.#resting = false;
    if (this.#begin !== null) this.#goBack();
    // Behind because of stalls, not by the shopper's choice: no use in being late to a sale.
    const { isLive, behind } = this.position;
    if (isLive && !this.#behindOnPurpose && behind > 2 * BEHIND_SECONDS) this.goLive();
  }

  /** An earlier moment that has left the list: the oldest one there is takes its place, not live. */
  #keepInRange() {
    const { range, time, isLive } = this.position;
    const chosen = isLive && this.#behindOnPurpose && this.#begin === null;
    if (chosen && range !== null && time < range.start) this.seek(time);
  }

  /** A stream that should move and does not is loaded anew; one that lags is brought up. */
  #look(now = performance.now()) {
    const { currentTime, paused } = this.#video;
    if (this.phase === Phase.PLAYING && !paused) {
      this.#keepInRange();
      // A browser's own player chooses its distance by itself.
      const { isLive, behind } = this.position;
      if (this.#hls && isLive && !this.#behindOnPurpose && behind > LOST_SECONDS) this.goLive();
    }
    if (paused && this.position.isLive) this.#tell("behind");
    const still = currentTime === this.#progress.time && !paused && !this.patient;
    if (!still || this.#progress.at === 0) this.#progress = { time: currentTime, at: now };
    else if (now - this.#progress.at > GAP_MS && this.#passGap()) this.#progress.at = 0;
    else if (now - this.#progress.at > STALL_MS && this.phase === Phase.BUFFERING) {
      this.#progress.at = 0;
      this.#fail("stalled");
    }
  }

  /** What was never recorded is passed over: hls.js does so only where the gap is short. */
  #passGap() {
    if (this.phase !== Phase.BUFFERING && this.phase !== Phase.LOADING) return false;
    // Before there is a picture hls.js has not gone to where it is to begin.
    const time = this.#video.readyState === 0 ? (this.#hls?.startPosition ?? 0) : this.#video.currentTime;
    const next = this.position.after(Math.max(time, 0));
    if (next === null || next <= time) return false;
    this.#video.currentTime = next;
    return true;
  }

  #set(phase) {
    if (this.phase === phase) return;
    this.phase = phase;
    this.#tell("phase");
  }

  #tell(kind) {
    this.dispatchEvent(new Event(kind));
  }
}

/** Read the code of a refusal's RFC 9457 problem from its XMLHttpRequest. */
function codeOf(request) {
  try {
    return JSON.parse(request.responseText).code ?? "";
  } catch {
    // Another engine, or a front's own page of words.
    return "";
  }
}

/** How near to the live point to play: a little further off after a stall, near again in calm. */

/** About a part. hls.js by itself adds a second for each stall, and keeps it for good. */
const STEP_SECONDS = 0.35;
const MOST_SECONDS = 2;
const CALM_MS = 8_000;
const BACK_PER_SECOND = 0.1;
/** So long after a stall, the time that it took is skipped: there was a jolt anyway. */
const LEAP_MS = 6_000;
const WORTH_SECONDS = 0.7;
const SPARE_SECONDS = 0.5;
const STALLED = "bufferStalledError";

export class Nearness {
  #extra = 0;
  #stalledAt = -Infinity;
  #at = 0;

  stalled(now) {
    this.#extra = Math.min(this.extra(now) + STEP_SECONDS, MOST_SECONDS);
    this.#stalledAt = now;
  }

  /** Seconds to keep, in addition to what the playlist asks for. `now` in milliseconds. */
  extra(now) {
    const calm = now - Math.max(this.#at, this.#stalledAt + CALM_MS);
    if (calm > 0) this.#extra = Math.max(0, this.#extra - (calm / 1000) * BACK_PER_SECOND);
    this.#at = now;
    return this.#extra;
  }

  /** Whether to leap from `time` to `live`, with media there up to `end`; seconds. */
  leaps(now, time, live, end) {
    return now - this.#stalledAt < LEAP_MS && live - time > WORTH_SECONDS && end - live > SPARE_SECONDS;
  }
}

/**
 * Steer an hls.js by it, for as long as that lives. `byChoice()`: the viewer is behind on purpose;
 * `clock()` gives milliseconds.
 */
export function keepNear(hls, events, byChoice, clock = () => performance.now()) {
  const nearness = new Nearness();
  hls.config.liveSyncOnStallIncrease = 0;
  hls.on(events.ERROR, (_, { details }) => details === STALLED && nearness.stalled(clock()));
  hls.on(events.LEVEL_UPDATED, (_, { details }) => {
    if (!details.live || !details.partHoldBack) return;
    const now = clock();
    const wanted = details.partHoldBack + nearness.extra(now);
    if (Math.abs((hls.targetLatency ?? 0) - wanted) > 0.02) hls.targetLatency = wanted;
    if (byChoice() || !hls.media || hls.media.paused) return;
    const { buffered, currentTime } = hls.media;
    const end = buffered.length ? buffered.end(buffered.length - 1) : 0;
    const live = hls.liveSyncPosition;
    if (live !== null && nearness.leaps(now, currentTime, live, end)) hls.media.currentTime = live;
  });
}

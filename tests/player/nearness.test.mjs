import assert from "node:assert/strict";
import { test } from "node:test";

import { keepNear, Nearness } from "../../player/nearness.js";

const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 1e-9, `${value} is not ${wanted}`);

test("a stall is answered by about a part, many by two seconds at most", () => {
  const nearness = new Nearness();
  assert.equal(nearness.extra(0), 0);
  nearness.stalled(1_000);
  near(nearness.extra(1_000), 0.35);
  for (let at = 1_100; at < 3_000; at += 100) nearness.stalled(at);
  near(nearness.extra(3_000), 2);
});

test("in calm it comes back bit by bit, however often it is asked", () => {
  for (const every of [100, 1_000, 2_500]) {
    const nearness = new Nearness();
    nearness.stalled(0);
    for (let at = 0; at <= 10_000; at += every) nearness.extra(at);
    near(nearness.extra(10_000), 0.15);
    near(nearness.extra(11_500), 0);
    near(nearness.extra(99_000), 0);
  }
});

test("the time that a stall took is skipped while it is fresh and the media is there", () => {
  const nearness = new Nearness();
  assert.equal(nearness.leaps(0, 10, 12, 13), false);
  nearness.stalled(1_000);
  assert.equal(nearness.leaps(2_000, 10, 12, 13), true);
  assert.equal(nearness.leaps(2_000, 10, 10.5, 13), false);
  assert.equal(nearness.leaps(2_000, 10, 12, 12.2), false);
  assert.equal(nearness.leaps(8_000, 10, 12, 13), false);
});

/** What of hls.js is steered. */
function player() {
  const listeners = {};
  let now = 0;
  const hls = {
    config: {},
    byChoice: false,
    targetLatency: 1,
    liveSyncPosition: 30,
    media: { paused: false, currentTime: 29.5, buffered: { length: 1, end: () => 31 } },
    on: (kind, act) => (listeners[kind] = act),
  };
  keepNear(hls, { ERROR: "error", LEVEL_UPDATED: "updated" }, () => hls.byChoice, () => now);
  const updated = (at, details = {}) => {
    now = at;
    listeners.updated("updated", { details: { live: true, partHoldBack: 1, ...details } });
  };
  return { hls, updated, stalled: () => listeners.error("error", { details: "bufferStalledError" }), listeners };
}

test("hls.js is told where to be, and adds nothing itself", () => {
  const { hls, updated, stalled, listeners } = player();
  assert.equal(hls.config.liveSyncOnStallIncrease, 0);
  listeners.error("error", { details: "fragLoadError" });
  updated(1_000);
  assert.equal(hls.targetLatency, 1);
  stalled();
  updated(1_100);
  near(hls.targetLatency, 1.35);
  updated(60_000);
  near(hls.targetLatency, 1);
});

test("after a stall it leaps, unless the viewer is behind by choice, paused, or it is over", () => {
  const behind = (change) => {
    const { hls, updated, stalled } = player();
    hls.media.currentTime = 28;
    change(hls);
    stalled();
    updated(500, hls.details);
    return hls.media.currentTime;
  };
  assert.equal(behind(() => {}), 30);
  assert.equal(behind((hls) => (hls.byChoice = true)), 28);
  assert.equal(behind((hls) => (hls.media.paused = true)), 28);
  assert.equal(behind((hls) => (hls.details = { live: false })), 28);
  assert.equal(behind((hls) => (hls.liveSyncPosition = null)), 28);
});

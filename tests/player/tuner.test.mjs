import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Phase } from "../../player/phase.js";
import { Tuner } from "../../player/tuner.js";

let feed;
let playback;
let ends;
let tuner;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  feed = { channel: { session: "one" }, state: "offline", reachable: true };
  playback = {
    phase: Phase.IDLE,
    patient: false,
    starts: 0,
    start() {
      this.starts += 1;
      this.phase = Phase.LOADING;
    },
    stop() {
      this.phase = Phase.IDLE;
    },
  };
  ends = 0;
  tuner = new Tuner(feed, playback, () => (ends += 1));
});

afterEach(() => {
  tuner.close();
  mock.timers.reset();
});

/** The channel changes; `phase`: what the player does meanwhile. */
function told(change, phase = playback.phase) {
  Object.assign(feed, change);
  playback.phase = phase;
  tuner.update();
}

test("a show that begins is played, once", () => {
  told({});
  assert.equal(playback.starts, 0);
  told({ state: "live" });
  told({});
  told({}, Phase.PLAYING);
  assert.equal(playback.starts, 1);
});

test("another show is loaded, unless its picture is there already", () => {
  told({ state: "live" });
  told({ channel: { session: "two" } }, Phase.PLAYING);
  assert.equal(playback.starts, 1);
  told({ channel: { session: "three" } }, Phase.BUFFERING);
  assert.equal(playback.starts, 2);
});

test("what failed is tried at once when the channel is told to be live, not while nobody answers", () => {
  told({ state: "live" });
  told({ reachable: false }, Phase.FAILED);
  assert.equal(playback.starts, 1);
  told({ reachable: true });
  assert.equal(playback.starts, 2);
});

test("what is buffered of a show that ended is shown, then the player rests", () => {
  told({ state: "live" });
  told({ state: "offline" }, Phase.PLAYING);
  mock.timers.tick(7_000);
  assert.deepEqual([playback.phase, ends], [Phase.PLAYING, 0]);
  playback.phase = Phase.BUFFERING;
  mock.timers.tick(7_000);
  assert.deepEqual([playback.phase, ends], [Phase.IDLE, 1]);
});

test("a host who is away is waited for; where the picture does not go on by itself it is loaded anew", () => {
  told({ state: "live" });
  told({ state: "interrupted" }, Phase.PLAYING);
  assert.ok(playback.patient);
  told({ state: "live" }, Phase.BUFFERING);
  assert.ok(!playback.patient);
  assert.equal(playback.starts, 1);
  mock.timers.tick(3_000);
  assert.equal(playback.starts, 2);
});

test("after it is closed nothing is stopped", () => {
  told({ state: "live" });
  told({ state: "offline" }, Phase.BUFFERING);
  tuner.close();
  mock.timers.tick(10_000);
  assert.deepEqual([playback.phase, ends], [Phase.BUFFERING, 0]);
});

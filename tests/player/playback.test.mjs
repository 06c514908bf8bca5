import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Phase } from "../../player/phase.js";
import { Playback } from "../../player/playback.js";

/** The list's first moment, and its date. */
const BEGIN = Date.parse("2026-01-01T12:00:00.000Z");
const settle = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

/** What a video element does, as far as playback asks. */
class Video extends EventTarget {
  paused = true;
  ended = false;
  muted = false;
  currentTime = 0;
  playbackRate = 1;
  duration = Infinity;
  seekable = { length: 0 };
  buffered = { length: 0 };
  dataset = {};
  refused = null;

  async play() {
    if (this.refused) throw Object.assign(new Error(), { name: this.refused });
    this.paused = false;
    this.say("playing");
  }

  pause() {
    this.paused = true;
    this.say("pause");
  }

  say(kind) {
    this.dispatchEvent(new Event(kind));
  }

  hasAttribute = () => false;
}

/** hls.js on a list of two-second segments from `first` to `edge`, in seconds of media time. */
class Hls {
  static Events = { MANIFEST_PARSED: "parsed", LEVEL_SWITCHED: "switched", LEVEL_UPDATED: "updated", ERROR: "error" };
  static ErrorTypes = { MEDIA_ERROR: "mediaError" };
  static made = [];
  static list = null;
  static isSupported = () => true;
  levels = [];
  #acts = new Map();

  constructor(config) {
    this.config = config;
    Hls.made.push(this);
  }

  on(kind, act) {
    this.#acts.set(kind, [...(this.#acts.get(kind) ?? []), act]);
  }

  say(kind, data = {}) {
    this.#acts.get(kind)?.forEach((act) => act(kind, data));
  }

  /** The list is there, and the first picture. */
  load(video) {
    this.loaded = true;
    this.say("parsed");
    video.say("loadeddata");
    return settle();
  }

  fail(code = 0, responseText = "") {
    const networkDetails = { responseText };
    this.say("error", { fatal: true, type: "networkError", details: "levelLoadError", response: { code }, networkDetails });
  }

  get latestLevelDetails() {
    if (!this.loaded) return null;
    const { first, edge, gap = [0, 0] } = Hls.list;
    const fragments = [];
    for (let start = first; start < edge; start += 2) {
      fragments.push({ start, duration: 2, programDateTime: BEGIN + start * 1000, gap: gap[0] <= start && start < gap[1] });
    }
    return { live: true, fragments };
  }

  get liveSyncPosition() {
    return this.loaded ? Hls.list.edge - 1 : null;
  }

  playingDate = null;
  loadSource() {}
  attachMedia() {}
  destroy() {
    this.destroyed = true;
  }
}

let video;
let playback;
const hls = () => Hls.made.at(-1);

beforeEach(async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  Hls.made = [];
  Hls.list = { first: 0, edge: 1_800 };
  video = new Video();
  playback = new Playback(video, "https://live.example/live/tea/index.m3u8", { engine: async () => Hls });
  await playback.start();
});

afterEach(() => {
  playback.close();
  mock.timers.reset();
});

async function watchFrom(time) {
  await hls().load(video);
  playback.seek(time);
}

/** Let the next try begin; it comes within some seconds. */
async function again() {
  mock.timers.tick(12_000);
  await settle();
}

test("who watches an earlier moment is brought back there, however often loading fails", async () => {
  await watchFrom(100);
  hls().fail();
  for (let n = 0; n < 3; n += 1) {
    await again();
    video.currentTime = 0;
    hls().fail();
  }
  await again();
  assert.equal(Hls.made.length, 5);
  video.currentTime = 1_799;
  await hls().load(video);
  assert.equal(video.currentTime, 100);
  assert.equal(hls().config.maxLiveSyncPlaybackRate, 1, "and nothing is made up for");
});

test("why the server refused is known where it says so", async () => {
  await hls().load(video);
  hls().fail(403, JSON.stringify({ code: "token-expired" }));
  assert.deepEqual([playback.phase, playback.refused], [Phase.DENIED, "token-expired"]);
  await again();
  hls().fail(403, "<html>");
  assert.deepEqual([playback.phase, playback.refused], [Phase.DENIED, ""]);
});

test("who asked for live meanwhile is not brought back", async () => {
  await watchFrom(100);
  hls().fail();
  await again();
  playback.goLive();
  video.currentTime = 1_799;
  await hls().load(video);
  assert.equal(video.currentTime, 1_799);
});

test("a show that was paused is paused still when it was loaded anew, at the same moment", async () => {
  await watchFrom(100);
  playback.pause();
  hls().fail();
  assert.equal(playback.phase, Phase.FAILED);
  await again();
  video.currentTime = 1_799;
  await hls().load(video);
  assert.deepEqual([video.paused, playback.phase, video.currentTime], [true, Phase.PAUSED, 100]);
  await playback.play();
  assert.deepEqual([video.paused, playback.phase], [false, Phase.PLAYING]);
});

test("a show that was not paused plays by itself when it was loaded anew", async () => {
  await hls().load(video);
  hls().fail();
  video.paused = true;
  await again();
  await hls().load(video);
  assert.equal(playback.phase, Phase.PLAYING);
});

test("a paused moment that has left the list: on play the oldest there is, not live", async () => {
  await watchFrom(100);
  playback.pause();
  Hls.list = { first: 1_000, edge: 2_800 };
  await playback.play();
  assert.equal(video.currentTime, 1_004);
});

test("while a show is paused, how far behind it is is told anew", async () => {
  await watchFrom(1_700);
  let told = 0;
  playback.addEventListener("behind", () => (told += 1));
  mock.timers.tick(2_000);
  assert.equal(told, 0, "a picture that moves tells by itself");
  playback.pause();
  Hls.list = { first: 10, edge: 1_810 };
  mock.timers.tick(2_000);
  assert.deepEqual([told, playback.position.behind], [2, 109]);
});

test("a picture that falls off the list while it plays stays on it", async () => {
  await watchFrom(4);
  Hls.list = { first: 6, edge: 1_806 };
  mock.timers.tick(1_000);
  assert.equal(video.currentTime, 10);
});

test("who lags far without having asked for it, as a tab in the background, is brought to live", async () => {
  await hls().load(video);
  video.currentTime = 1_790;
  mock.timers.tick(1_000);
  assert.equal(video.currentTime, 1_790, "nine seconds are made up for by pace");
  Hls.list = { first: 0, edge: 1_810 };
  mock.timers.tick(1_000);
  assert.equal(video.currentTime, 1_809);
});

/** Let seconds go by, and the player look each time. */
function wait(seconds) {
  let now = performance.now();
  const clock = mock.method(performance, "now", () => now);
  for (let n = 0; n < seconds; n += 1) {
    now += 1_000;
    mock.timers.tick(1_000);
  }
  clock.mock.restore();
}

test("what was never recorded is passed over, and waited for where nothing follows", async () => {
  Hls.list = { first: 0, edge: 1_800, gap: [100, 160] };
  await hls().load(video);
  playback.seek(90);
  assert.equal(video.currentTime, 90);
  video.currentTime = 99.9;
  video.say("waiting");
  wait(4);
  assert.equal(video.currentTime, 160);
  Hls.list.gap = [1_700, 1_800];
  video.currentTime = 1_699.9;
  video.say("playing");
  video.say("waiting");
  wait(4);
  assert.equal(video.currentTime, 1_699.9);
});

test("a picture that stands still in what was recorded is not moved", async () => {
  Hls.list = { first: 0, edge: 1_800, gap: [100, 160] };
  await hls().load(video);
  playback.seek(97);
  video.say("waiting");
  wait(4);
  assert.equal(video.currentTime, 97);
});

test("who seeks to where nothing was recorded sees what comes next", async () => {
  Hls.list = { first: 0, edge: 1_800, gap: [100, 160] };
  await hls().load(video);
  playback.seek(120);
  assert.equal(video.currentTime, 160);
});

test("who chose an earlier moment is not brought to live", async () => {
  await watchFrom(100);
  mock.timers.tick(5_000);
  assert.equal(video.currentTime, 100);
});

test("a token that ends is told once, whatever is tried meanwhile, until one opens again", async () => {
  await hls().load(video);
  const told = [];
  playback.addEventListener("phase", () => told.push(playback.phase));
  hls().fail(403);
  for (let n = 0; n < 3; n += 1) {
    await again();
    hls().fail(403);
  }
  assert.deepEqual(told, [Phase.DENIED]);
  await again();
  await hls().load(video);
  assert.deepEqual(told, [Phase.DENIED, Phase.PLAYING]);
});

test("a browser that plays nothing unasked, not even in silence, offers the button", async () => {
  video.muted = true;
  video.refused = "NotAllowedError";
  await hls().load(video);
  assert.equal(playback.phase, Phase.PAUSED);
});

test("after it is closed nothing runs on", async () => {
  await hls().load(video);
  hls().fail();
  playback.close();
  await again();
  assert.equal(Hls.made.length, 1);
  assert.ok(hls().destroyed);
  video.say("playing");
  assert.equal(playback.phase, Phase.IDLE);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { dateInList, dateOf, last, timeOf } from "../../player/axis.js";
import { clock, fraction, marks, pointedAt, readTime, spoken, stepTo, stretches } from "../../player/reel.js";
import { readStoryboard, tileAt } from "../../player/storyboard.js";

const T0 = Date.parse("2026-01-01T12:00:00.000Z");
/** Twenty seconds, then the host was away for a minute, then ten seconds more. */
const FRAGMENTS = [
  ...[0, 2, 4, 6, 8, 10, 12, 14, 16, 18].map((start) => ({ start, duration: 2, programDateTime: T0 + start * 1000 })),
  ...[20, 22, 24, 26, 28].map((start) => ({ start, duration: 2, programDateTime: T0 + 60_000 + start * 1000 })),
];
const at = (date) => timeOf(FRAGMENTS, date);
const pin = (id, start, end, more = {}) => ({ id, productId: id, start: T0 + start * 1000, end: T0 + end * 1000, ...more });

test("dates and times are each other's way back", () => {
  for (let time = 0; time < 30; time += 0.25) assert.equal(timeOf(FRAGMENTS, dateOf(FRAGMENTS, time)), time);
  assert.equal(dateOf(FRAGMENTS, 20), T0 + 80_000);
  assert.equal(dateOf(FRAGMENTS, 19.99), T0 + 19_990);
});

test("a date at which nothing was on the air is where the show goes on", () => {
  assert.equal(at(T0 + 50_000), 20);
  assert.equal(at(T0 - 1), -Infinity);
  assert.equal(at(T0 + 100_000), 40, "behind the end time goes on: the playlist grows");
  assert.equal(timeOf([], T0), null);
  assert.equal(dateOf([], 5), null);
});

test("fragments without a date take the one before", () => {
  const mixed = [FRAGMENTS[0], { start: 2, duration: 2, programDateTime: null }];
  assert.equal(dateOf(mixed, 3), T0 + 3000);
  assert.equal(dateOf(mixed.slice(1), 3), null);
  assert.equal(timeOf(mixed, T0 + 3000), 3);
});

test("a segment that still grows has a date of its own, and none where there is no list", () => {
  const fragmentHint = { start: 30, duration: 1, programDateTime: T0 + 200_000 };
  assert.equal(dateInList({ fragments: FRAGMENTS, fragmentHint }, 30.5), T0 + 200_500);
  assert.equal(dateInList({ fragments: FRAGMENTS, fragmentHint }, 19), T0 + 19_000);
  assert.equal(dateInList({ fragments: FRAGMENTS, fragmentHint: { ...fragmentHint, programDateTime: null } }, 30.5), T0 + 90_500);
  assert.equal(dateInList(null, 5), null);
});

test("the last that holds is found, wherever it is", () => {
  const list = [1, 3, 5];
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((limit) => last(list, (n) => n <= limit)), [-1, 0, 0, 1, 1, 2, 2]);
});

test("times are written for eyes and for ears", () => {
  assert.deepEqual([0, 7.9, 754, 3723].map(clock), ["0:00", "0:07", "12:34", "1:02:03"]);
  assert.deepEqual([0, 1, 80, 3723].map(spoken), ["0 seconds", "1 second", "1 minute 20 seconds", "1 hour 2 minutes 3 seconds"]);
  assert.equal(clock(-3), "0:00");
});

test("a link's time is read in every form, and nothing else is", () => {
  assert.deepEqual(["754", "754s", "12m34s", "1h2m", "0", "1h"].map(readTime), [754, 754, 754, 3720, 0, 3600]);
  for (const bad of ["", null, "x", "-5", "1e9", "12:34", "1m2h", "9".repeat(9)]) assert.equal(readTime(bad), null, String(bad));
});

test("keys step, and never beyond the ends", () => {
  const range = { start: 10, end: 100 };
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "x", "toString"];
  assert.deepEqual(keys.map((key) => stepTo(key, 50, range)), [45, 55, 55, 45, 100, 10, 10, 100, null, null]);
});

test("a place is a fraction, whatever the range", () => {
  assert.equal(fraction(15, { start: 10, end: 20 }), 0.5);
  assert.equal(fraction(5, { start: 10, end: 20 }), 0);
  assert.equal(fraction(5, { start: 10, end: 10 }), 1);
});

test("a product that changes while shown is one stretch; shown again later, another", () => {
  const found = stretches([pin("tea", 2, 6), pin("tea", 6, 9, { id: "tea2" }), pin("cup", 8, 10), pin("tea", 14, 16)], at);
  assert.deepEqual(found.map(({ id, from, to }) => [id, from, to]), [["tea", 2, 9], ["cup", 8, 10], ["tea", 14, 16]]);
});

test("what was shown while nothing was on the air takes no place; open pins go on", () => {
  const found = stretches([pin("tea", 30, 40), pin("cup", 22, Infinity), { ...pin("x", 1, 2), productId: null }], at);
  assert.deepEqual(found.map(({ id, from, to }) => [id, from, to]), [["cup", 20, Infinity]]);
});

test("marks are cut to what can be played", () => {
  const found = marks(stretches([pin("tea", -5, 5), pin("cup", 12, 40), pin("pot", 16, 18)], at), { start: 4, end: 14 });
  assert.deepEqual(found.map(({ stretch, at: place, width }) => [stretch.id, place, width]), [["tea", 0, 0.1], ["cup", 0.8, 1 - 0.8]]);
});

test("a pointer near a product's beginning means it; else what it points at", () => {
  const shown = stretches([pin("tea", 2, 8), pin("cup", 6, 10)], at);
  const told = (time, near = 0.5) => {
    const found = pointedAt(shown, time, near);
    return found && [found.stretch.id, found.begins];
  };
  assert.deepEqual(told(1.6), ["tea", true]);
  assert.deepEqual(told(5.8), ["cup", true]);
  assert.deepEqual(told(4), ["tea", false]);
  assert.deepEqual(told(7), ["cup", false]);
  assert.equal(told(11), null);
});

test("a storyboard is read, and every moment has its thumbnail", () => {
  const text = `WEBVTT\n\n00:00.000 --> 00:10.000\nstoryboard-0.jpg#xywh=0,0,160,90\n\n1:00:10.000 --> 1:00:20.000\nstoryboard-0.jpg#xywh=160,0,160,90\n\n00:01.000 --> 00:02.000\nno picture\n`;
  const cues = readStoryboard(text, "http://shop.example/replay/a/b/");
  assert.deepEqual(cues.map(({ start, end, x }) => [start, end, x]), [[0, 10, 0], [3610, 3620, 160]]);
  assert.equal(cues[0].url, "http://shop.example/replay/a/b/storyboard-0.jpg");
  assert.equal(tileAt(cues, 5), cues[0]);
  assert.equal(tileAt(cues, 4000), cues[1]);
  assert.equal(tileAt([], 5), null);
});

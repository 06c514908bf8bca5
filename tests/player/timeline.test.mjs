import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY, fromSnapshot, merge, parseInterval, stateAt } from "../../player/timeline.js";

const T0 = Date.parse("2026-01-01T12:00:00.000Z");
const at = (ms) => new Date(T0 + ms).toISOString();
const pin = (id, start, end = null, more = {}) => ({
  id,
  kind: "pin",
  product_id: `product-${id}`,
  revision: 1,
  slot: 0,
  start: at(start),
  end: end === null ? null : at(end),
  late: false,
  rect: { x: 0.05, y: 0.7, width: 0.3, height: 0.2 },
  ...more,
});
const ids = (timeline, ms) => stateAt(timeline, T0 + ms).shown.map(({ id }) => id);

test("intervals are half-open, to the millisecond", () => {
  const timeline = fromSnapshot({ seq: 1, intervals: [pin("a", 1000, 2000)] });
  assert.deepEqual(ids(timeline, 999), []);
  assert.deepEqual(ids(timeline, 1000), ["a"]);
  assert.deepEqual(ids(timeline, 1999), ["a"]);
  assert.deepEqual(ids(timeline, 2000), []);
});

test("an open pin holds until it is ended; a later end takes it off at that instant", () => {
  const open = fromSnapshot({ seq: 1, intervals: [pin("a", 0)] });
  assert.deepEqual(ids(open, 3_600_000), ["a"]);
  const ended = merge(open, parseInterval(pin("a", 0, 5000)), 2);
  assert.deepEqual(ids(ended, 4999), ["a"]);
  assert.deepEqual(ids(ended, 5000), []);
  assert.equal(ended.intervals.length, 1);
});

test("a seek back shows what was on then: state depends on nothing but the date", () => {
  const timeline = fromSnapshot({ seq: 3, intervals: [pin("a", 0, 1000), pin("b", 1000, 2000)] });
  assert.deepEqual([1500, 500, 1500].map((ms) => ids(timeline, ms)), [["b"], ["a"], ["b"]]);
});

test("an answer holds exactly in its span", () => {
  const timeline = fromSnapshot({ seq: 3, intervals: [pin("a", 1000, 4000), pin("b", 2000, 3000)] });
  const { shown, since, until } = stateAt(timeline, T0 + 2500);
  assert.deepEqual(shown.map(({ id }) => id), ["a", "b"]);
  assert.equal(since, T0 + 2000);
  assert.equal(until, T0 + 3000);
  for (let ms = 0; ms < 5000; ms += 50) {
    const state = stateAt(timeline, T0 + ms);
    assert.ok(state.since <= T0 + ms && T0 + ms < state.until);
    for (const other of [state.since, state.until - 1].filter(Number.isFinite)) {
      assert.deepEqual(stateAt(timeline, other).shown, state.shown);
    }
  }
});

test("a pin taken back before it began is never shown and bounds nothing", () => {
  const timeline = fromSnapshot({ seq: 2, intervals: [pin("a", 1000, 1000), pin("b", 2000, 1500)] });
  const state = stateAt(timeline, T0 + 1200);
  assert.deepEqual(state.shown, []);
  assert.equal(state.until, Infinity);
});

test("news older than the snapshot changes nothing", () => {
  const timeline = fromSnapshot({ seq: 9, intervals: [pin("a", 0, 1000)] });
  assert.equal(merge(timeline, parseInterval(pin("a", 0)), 8), timeline);
});

test("what makes no sense is left out", () => {
  const bad = [null, 5, {}, { id: "x", start: "soon" }, { id: "y", start: at(0), end: "later" }];
  assert.deepEqual(fromSnapshot({ seq: 1, intervals: bad }).intervals, []);
  assert.deepEqual(fromSnapshot({}), EMPTY);
  assert.deepEqual(fromSnapshot(null), EMPTY);
});

test("a rectangle outside the picture is no click target", () => {
  for (const rect of [null, {}, { x: -0.1, y: 0, width: 1, height: 1 }, { x: 0.9, y: 0, width: 0.2, height: 0.1 }, { x: 0, y: 0, width: 0, height: 1 }]) {
    assert.equal(parseInterval(pin("a", 0, null, { rect })).rect, null);
  }
  assert.deepEqual(parseInterval(pin("a", 0)).rect, { x: 0.05, y: 0.7, width: 0.3, height: 0.2 });
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { asWarning, lasting, summary, typeset } from "../../player/coach.js";
import { areaBelow, sparkPath } from "../../player/spark.js";
import { levelWords, mean, onMeter, onScale, syncWords } from "../../player/vitals.js";

const warning = (severity) => ({ code: severity, severity, message: "m", advice: "a" });

test("one line says how the stream fares", () => {
  const cases = [
    [{ state: "offline", warnings: [] }, "off", "Off air"],
    [null, "off", "Off air"],
    [{ state: "live", warnings: [] }, "good", "All good"],
    [{ state: "live" }, "good", "All good"],
    [{ state: "live", warnings: [warning("info")] }, "good", "All good"],
    [{ state: "live", warnings: [warning("warning"), warning("info")] }, "warning", "1 thing to mend"],
    [{ state: "live", warnings: [warning("warning"), "words alone"] }, "warning", "2 things to mend"],
    [{ state: "live", warnings: [warning("error"), warning("warning")] }, "error", "2 things to mend, now"],
    [{ state: "offline", warnings: [warning("error")] }, "error", "1 thing to mend, now"],
    [{ state: "interrupted", warnings: [] }, "warning", "Waiting for your encoder"],
  ];
  for (const [channel, level, words] of cases) assert.deepEqual(summary(channel), { level, words });
  assert.equal(summary({ state: "live" }, false).level, "error");
});

test("a warning has one shape, whatever came", () => {
  assert.equal(asWarning("Key expires").message, "Key expires");
  assert.equal(asWarning("Key expires").code, "Key expires");
  assert.equal(asWarning({ code: "x", severity: "loud" }).severity, "warning");
  assert.equal(asWarning({ code: "x" }).message, "x");
});

test("time is told in one unit", () => {
  const now = Date.parse("2026-01-01T12:00:00.000Z");
  assert.equal(lasting("2026-01-01T11:59:55.000Z", now), "5 s");
  assert.equal(lasting("2026-01-01T12:00:05.000Z", now), "0 s", "clocks differ");
  assert.equal(lasting("2026-01-01T11:57:00.000Z", now), "3 min");
  assert.equal(lasting("2026-01-01T09:57:00.000Z", now), "2 h");
  assert.equal(lasting(undefined, now), "");
});

test("menus are paths, numbers stay with their unit", () => {
  assert.equal(typeset("Set 2 s in OBS: Settings > Output."), "Set 2\u00a0s in OBS: Settings\u00a0\u203a Output.");
  assert.equal(typeset("8 kbit/s, 12 s."), "8\u00a0kbit/s, 12\u00a0s.");
  assert.equal(typeset("2 seconds and 3 sources"), "2 seconds and 3 sources");
  assert.equal(typeset(undefined), "");
});

test("a line ends where now is and stays in its box", () => {
  assert.equal(sparkPath([], 1), "");
  assert.equal(sparkPath([1], 1), "");
  assert.equal(sparkPath([1, 2], 0), "");
  const points = (path) => path.slice(1).split("L").map((point) => point.split(" ").map(Number));
  const few = points(sparkPath([0, 5, 10, NaN, 99], 10));
  assert.equal(few.at(-1)[0], 120);
  assert.ok(few[0][0] > 100, "what was before is not known");
  assert.ok(few.every(([, y]) => y >= 0 && y <= 32));
  assert.equal(few[0][1], 31);
  assert.equal(points(sparkPath(Array(100).fill(1), 1)).length, 60);
  assert.equal(areaBelow("M1.0 2.0L3.0 4.0"), "M1.0 2.0L3.0 4.0V32H1.0Z");
  assert.equal(areaBelow(""), "");
});

test("levels and offsets have their place and their words", () => {
  assert.deepEqual([-120, -60, -30, 0, 3, undefined].map(onMeter), [0, 0, 0.5, 1, 1, 0]);
  assert.deepEqual([-1, -0.2, 0, 0.1, 5].map(onScale), [0, 0, 0.5, 0.75, 1]);
  assert.deepEqual([-120, -12.4, NaN].map(levelWords), ["silent", "-12 dB", "no sound"]);
  assert.equal(mean([1, 1, 30, 31, 29, 30]), 30, "of the last four");
  assert.ok(Number.isNaN(mean([])));
  assert.deepEqual([0.004, 0.2, -0.0456, NaN].map(syncWords), ["in step", "200 ms early", "46 ms late", "unknown"]);
});

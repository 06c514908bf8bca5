/** What a scrub bar shows and says: places, products, words, steps. Pure; seconds of media time. */

import { last } from "./axis.js";

const STEP = 5;
const LEAP = 60;
/** Two explanations of a product that lie closer are one. */
const JOINED = 1.5;

/** Write a time as clocks do: 0:07, 12:34, 1:02:03. */
export function clock(seconds) {
  const total = Math.max(0, Math.floor(seconds + 1e-6));
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(total % 60)}` : `${minutes}:${pad(total % 60)}`;
}

/** Say a length of time in words, as a screen reader should: "1 hour 2 minutes 3 seconds". */
export function spoken(seconds) {
  const total = Math.max(0, Math.floor(seconds + 1e-6));
  const counts = [
    [Math.floor(total / 3600), "hour"],
    [Math.floor(total / 60) % 60, "minute"],
    [total % 60, "second"],
  ];
  const said = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}${count === 1 ? "" : "s"}`);
  return said.join(" ") || "0 seconds";
}

/** Read a time as links carry it: `754`, `12m34s`, `1h2m`; null when it is none. */
export function readTime(text) {
  const found = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?$/.exec(text ?? "");
  if (!found || !text) return null;
  const [hours, minutes, seconds] = found.slice(1).map((number) => Number(number ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/** Where in `[start, end]` a time lies, 0 to 1. */
export function fraction(time, { start, end }) {
  return end > start ? Math.min(1, Math.max(0, (time - start) / (end - start))) : 1;
}

/** Where a key takes the playhead; null for a key that is none of the bar's. */
export function stepTo(key, now, { start, end }) {
  const steps = {
    ArrowLeft: now - STEP,
    ArrowRight: now + STEP,
    ArrowDown: now - STEP,
    ArrowUp: now + STEP,
    PageDown: now - LEAP,
    PageUp: now + LEAP,
    Home: start,
    End: end,
  };
  return Object.hasOwn(steps, key) ? Math.min(end, Math.max(start, steps[key])) : null;
}

/**
 * Give the stretches in which products are shown: `{id, interval, intervals, from, to}`, in order of
 * their beginning. A product that changed while it was shown stays one stretch, of several intervals.
 * `timeOf(date)` as in axis.js.
 */
export function stretches(intervals, timeOf) {
  const made = [];
  for (const interval of intervals) {
    if (interval.productId === null || interval.end <= interval.start) continue;
    const from = timeOf(interval.start);
    const to = interval.end === Infinity ? Infinity : timeOf(interval.end);
    if (from === null || to === null) continue;
    const before = made.findLast(({ id }) => id === interval.productId);
    if (before && from - before.to < JOINED) {
      before.to = Math.max(before.to, to);
      before.intervals.push(interval);
    } else if (to > from) made.push({ id: interval.productId, interval, intervals: [interval], from, to });
  }
  return made;
}

/** Give those stretches that lie in a range, as `{stretch, at, width}` in fractions of it. */
export function marks(stretched, range) {
  return stretched
    .filter(({ from, to }) => to > range.start && from < range.end)
    .map((stretch) => {
      const at = fraction(stretch.from, range);
      return { stretch, at, width: fraction(stretch.to, range) - at };
    });
}

/**
 * Choose the stretch that a pointer at `time` means: one that begins within `near` seconds of it,
 * else one that it lies in, the newest first. Null: none.
 */
export function pointedAt(stretched, time, near) {
  const begins = stretched.filter(({ from }) => Math.abs(from - time) <= near);
  const closest = begins.sort((a, b) => Math.abs(a.from - time) - Math.abs(b.from - time))[0];
  if (closest) return { stretch: closest, begins: true };
  const n = last(stretched, ({ from }) => from <= time);
  const inside = stretched.slice(0, n + 1).findLast(({ to }) => to > time);
  return inside ? { stretch: inside, begins: false } : null;
}

/**
 * Media time and dates, by the fragments of the playlist that is loaded. Pure.
 *
 * A fragment is `{start, duration, programDateTime}`: seconds of media time, UTC milliseconds or
 * null. They come in order; between two of them dates may leap (the host was away), media time
 * never does.
 */

/** What a media time may lie before a fragment and still be in it: players round. */
const ROUNDING = 1e-4;

/** So close before a gap, in seconds, no picture is left to show. */
const NEARLY = 0.3;

/** Give the date, UTC ms, of a media time in seconds; null where no date is known. */
export function dateOf(fragments, time) {
  let n = last(fragments, (fragment) => fragment.start <= time + ROUNDING);
  while (n >= 0 && fragments[n].programDateTime === null) n -= 1;
  if (n < 0) return null;
  return fragments[n].programDateTime + (time - fragments[n].start) * 1000;
}

/** Give the date of a media time in a playlist as hls.js has read it, its growing segment included. */
export function dateInList(list, time) {
  const { fragments = [], fragmentHint } = list ?? {};
  const growing = fragmentHint && fragmentHint.programDateTime !== null && time >= fragmentHint.start;
  return dateOf(growing ? [fragmentHint] : fragments, time);
}

/**
 * Give the media time of a date; what lies where dates leap is at the leap. -Infinity before the
 * first fragment; behind the last one time simply goes on. Null where no date is known.
 */
export function timeOf(fragments, date) {
  const dated = fragments.filter(({ programDateTime }) => programDateTime !== null);
  if (dated.length === 0) return null;
  const n = last(dated, ({ programDateTime }) => programDateTime <= date);
  if (n < 0) return -Infinity;
  const { start, programDateTime } = dated[n];
  const time = start + (date - programDateTime) / 1000;
  return n + 1 < dated.length ? Math.min(time, dated[n + 1].start) : time;
}

/**
 * Give where there is media at `time` or behind it: `time` itself, or, where it lies in a gap
 * (EXT-X-GAP) or just before one, the end of that. Null where nothing follows.
 */
export function pastGap(fragments, time) {
  let n = last(fragments, ({ start }) => start <= time + NEARLY);
  if (n < 0 || !fragments[n].gap) return time;
  while (n < fragments.length && fragments[n].gap) n += 1;
  return n < fragments.length ? fragments[n].start : null;
}

/** Find the last of a sorted list for which `holds` is true; -1: none. */
export function last(list, holds) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * What the picture shows when: state is a pure function of the playing date.
 *
 * Times are UTC milliseconds on the EXT-X-PROGRAM-DATE-TIME axis; intervals are half-open,
 * [start, end). Nothing here reads a clock or touches the page.
 */

export const EMPTY = Object.freeze({ seq: 0, intervals: Object.freeze([]) });

const FULL = Object.freeze({ x: 0, y: 0, width: 1, height: 1 });

/** Parse one interval of the snapshot or of a `timeline` event; null when it makes no sense. */
export function parseInterval(json) {
  if (json === null || typeof json !== "object" || json.id === undefined) return null;
  const start = Date.parse(json.start);
  if (!Number.isFinite(start)) return null;
  const end = json.end === null || json.end === undefined ? Infinity : Date.parse(json.end);
  if (Number.isNaN(end)) return null;
  return Object.freeze({
    id: String(json.id),
    kind: json.kind ?? "pin",
    productId: json.product_id ?? json.product?.id ?? null,
    revision: json.revision ?? 0,
    start,
    end,
    late: json.late === true,
    slot: Number.isInteger(json.slot) ? json.slot : 0,
    rect: parseRect(json.rect),
    product: json.product ?? null,
    /** What the card asks for, as `price` and `sale_price` of a product; null where that is not known. */
    asked: json.price_then ? { price: json.price_then, sale_price: json.sale_price_then } : null,
  });
}

function parseRect(rect) {
  if (rect === null || typeof rect !== "object") return null;
  const { x, y, width, height } = rect;
  if (![x, y, width, height].every(Number.isFinite) || width <= 0 || height <= 0) return null;
  if (x < FULL.x || y < FULL.y || x + width > 1.001 || y + height > 1.001) return null;
  return Object.freeze({ x, y, width, height });
}

/** Make a timeline from `GET .../timeline`. Intervals that make no sense are left out. */
export function fromSnapshot(json) {
  const intervals = (json?.intervals ?? []).map(parseInterval).filter(Boolean);
  return sorted(Number(json?.seq) || 0, intervals);
}

/** Put one interval in, in the place of the same id's older state. An older seq changes nothing. */
export function merge(timeline, interval, seq = timeline.seq) {
  if (seq < timeline.seq) return timeline;
  const others = timeline.intervals.filter((other) => other.id !== interval.id);
  return sorted(seq, [...others, interval]);
}

function sorted(seq, intervals) {
  intervals.sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1));
  return Object.freeze({ seq, intervals: Object.freeze(intervals) });
}

/**
 * Tell what is on at `date` (ms), in order of start, and the half-open span [since, until) in
 * which that answer holds, so that a caller asks again only when it leaves the span.
 */
export function stateAt(timeline, date) {
  const shown = [];
  let since = -Infinity;
  let until = Infinity;
  for (const interval of timeline.intervals) {
    if (interval.end <= interval.start) continue;
    for (const edge of [interval.start, interval.end]) {
      if (edge <= date && edge > since) since = edge;
      if (edge > date && edge < until) until = edge;
    }
    if (interval.start <= date && date < interval.end) shown.push(interval);
  }
  return Object.freeze({ shown: Object.freeze(shown), since, until });
}

/** Until when a stream key is good, in words for the anchor. Pure. */

const MINUTE = 60_000;
const NEAR = 24 * 60 * MINUTE;

/**
 * Say it. `expiresAt` is the server's RFC 3339 instant or null, `now` in ms; `locale` and
 * `timeZone` undefined: the browser's. Answers `{text, near}`, or null for a key without an end.
 */
export function expiryWords(expiresAt, now, { locale, timeZone } = {}) {
  const until = Date.parse(expiresAt ?? "");
  if (!Number.isFinite(until)) return null;
  const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone }).format(until);
  const left = until - now;
  if (left <= 0) return { text: `The stream key expired on ${when}. A broadcast that is on goes on; the next one needs a new key.`, near: true };
  if (left <= NEAR) return { text: `The stream key expires in ${span(left)}, on ${when}. Begin before then: a broadcast that is on goes on.`, near: true };
  return { text: `The stream key is good until ${when}.`, near: false };
}

function span(ms) {
  const minutes = Math.max(1, Math.floor(ms / MINUTE));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

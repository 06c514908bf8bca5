/** Which state a shopper is told about. Pure: server's word + player's state in, notice out. */

/** What the player does, in its own words. */
export const Phase = Object.freeze({
  IDLE: "idle",
  LOADING: "loading",
  PLAYING: "playing",
  PAUSED: "paused",
  BUFFERING: "buffering",
  ENDED: "ended",
  FAILED: "failed",
  UNSUPPORTED: "unsupported",
  /** The server asks for a token, or for another one. */
  DENIED: "denied",
});

/** What the page says; NONE: the picture speaks for itself. */
export const Notice = Object.freeze({
  NONE: "none",
  LOADING: "loading",
  SOON: "soon",
  ENDED: "ended",
  INTERRUPTED: "interrupted",
  UNREACHABLE: "unreachable",
  MISSING: "missing",
  UNSUPPORTED: "unsupported",
  DENIED: "denied",
});

/**
 * Choose the notice.
 *
 * `state` is the channel's (`offline`, `live`, `interrupted`), null while unknown; `missing`
 * that the channel does not exist; `reachable` that the server answers; `seen` that this page
 * has shown a picture of the show; `recorded` that the show is over anyhow. Buffered picture goes
 * on being shown whatever the server says.
 */
export function noticeFor({ state, phase, missing = false, reachable = true, seen = false, recorded = false }) {
  if (missing) return Notice.MISSING;
  if (phase === Phase.UNSUPPORTED) return Notice.UNSUPPORTED;
  if (phase === Phase.PLAYING || phase === Phase.PAUSED) return Notice.NONE;
  if (phase === Phase.DENIED) return Notice.DENIED;
  if (recorded && phase === Phase.ENDED) return Notice.NONE;
  if (!reachable || (recorded && phase === Phase.FAILED)) return Notice.UNREACHABLE;
  if (recorded) return Notice.LOADING;
  if (state === "interrupted") return Notice.INTERRUPTED;
  if (phase === Phase.ENDED && state !== "live") return Notice.ENDED;
  if (state === "offline") return seen ? Notice.ENDED : Notice.SOON;
  return Notice.LOADING;
}

/** The code of the server's problem when a ticket's time is over. */
export const EXPIRED = "token-expired";

/** Where nothing of a live show reaches the page, whatever the channel was last known to be. */
const CUT = new Set([Notice.UNREACHABLE, Notice.DENIED, Notice.MISSING]);

/** Tell whether the page may call the show live: the channel is, and it comes through. */
export function isOnAir(state, notice) {
  return state === "live" && !CUT.has(notice);
}

/** Choose what is told beside the picture: a slate plays on in it, else it is what the picture's place says. */
export function besideThePicture(state, notice) {
  return state === "interrupted" && notice === Notice.NONE ? Notice.INTERRUPTED : notice;
}

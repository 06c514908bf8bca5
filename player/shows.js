/** Shows that are over, as cards that lead to their replay. */

import { urls } from "./api.js";
import { h } from "./dom.js";
import { clock } from "./reel.js";

/** A show shorter than this was a test of the line. */
const LEAST_SECONDS = 5;
const RETRY_SECONDS = [4, 10, 30];

/** Choose those of `sessions` (as the API tells them) that can be played, newest first. */
export function playable(sessions) {
  return sessions
    .filter(({ state, duration_seconds: seconds }) => state === "ended" && seconds >= LEAST_SECONDS)
    .sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at));
}

/** How often past shows are asked for, and how long after an end with every look at the channels. */
const LOOK_MS = 60_000;
const FRESH_MS = 45_000;

/** Tell, in milliseconds of one clock, whether to ask for past shows: one that ended is soon listed. */
export function lookDue({ now, asked, ended }) {
  return now - asked >= LOOK_MS || now - ended < FRESH_MS;
}

/** Write when a show was, as short as it is clear. */
export function when(session, now = Date.now(), locale = undefined) {
  const started = new Date(session.started_at);
  const far = Math.abs(now - started) > 300 * 86_400_000;
  const day = { day: "numeric", month: "short", ...(far ? { year: "numeric" } : {}) };
  return new Intl.DateTimeFormat(locale, { ...day, hour: "numeric", minute: "2-digit" }).format(started);
}

/**
 * Hide a picture that does not load, and try again: after a show it is being made. Of a show without
 * pictures the window stays dark.
 */
function retried(picture) {
  const waits = [...RETRY_SECONDS];
  picture.addEventListener("error", () => {
    picture.hidden = true;
    if (waits.length === 0) return;
    setTimeout(() => {
      if (!picture.isConnected) return;
      // A hidden one is never near enough to be loaded lazily.
      picture.loading = "eager";
      picture.src = picture.src;
    }, waits.shift() * 1000);
  });
  picture.addEventListener("load", () => (picture.hidden = false));
}

/** Make the card of a show; `named`: with its title, where shows of several channels stand together. */
export function pastShow(session, { named = false } = {}) {
  const { channel, id, title, duration_seconds: seconds } = session;
  const poster = h("img", { src: urls.ofReplay(channel, id, "poster.jpg"), alt: "", loading: "lazy", decoding: "async" });
  const frame = h("span", { className: "past-window" }, poster, h("span", { className: "past-length" }, clock(seconds)));
  retried(poster);
  return h(
    "li",
    {},
    h(
      "a",
      { className: "past-show", href: urls.ofReplay(channel, id), "data-session": id },
      frame,
      h(
        "span",
        { className: "past-text" },
        named ? h("span", { className: "past-title" }, title || channel) : null,
        h("span", { className: "past-when" }, when(session)),
      ),
    ),
  );
}

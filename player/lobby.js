/** The lobby: the shows that are on, those to watch again, then the channels that are off air. */

import { Api, urls } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { LivePoster } from "./live_poster.js";
import { lookDue, pastShow, playable } from "./shows.js";

const REFRESH_MS = 10_000;
/** Channels that are asked for their last shows, and how many shows are listed. */
const MOST_ASKED = 24;
const MOST_PAST = 12;
const find = (id) => document.getElementById(id);
let drawn = "";
let drawnPast = "";
let asked = -Infinity;
/** Channels that were on at the last look, and when one of them was not any more. */
let wereOn = new Set();
let ended = -Infinity;
/** By channel, of those that are on: they outlive the cards, which are drawn anew. */
const posters = new Map();

const isOn = (state) => state === "live" || state === "interrupted";

function posterOf(id) {
  if (!posters.has(id)) posters.set(id, new LivePoster(id));
  return posters.get(id);
}

/** Have the pictures follow their shows. What a ticket opens stays dark for whoever passes by. */
function freshen(channels) {
  const seen = channels.filter(({ state, playback }) => isOn(state) && playback !== "signed").map(({ id }) => id);
  for (const id of posters.keys()) if (!seen.includes(id)) posters.delete(id);
  if (!document.hidden) for (const id of seen) posterOf(id).freshen();
}

function show({ id, title, state, viewers, playback }) {
  const live = isOn(state);
  return h(
    "li",
    {},
    h(
      "a",
      { className: "show-card", href: urls.watch(id) },
      live ? posterOf(id).element : null,
      h(
        "span",
        { className: "show-foot" },
        h("span", { className: "show-title" }, title || id),
        playback === "signed" ? h("span", { className: "show-note" }, "With a ticket") : null,
        live ? h("span", { className: "badge" }, "Live") : null,
        live && viewers > 0 ? h("span", { className: "show-note" }, icon("eye"), String(viewers), h("span", { className: "unseen" }, " watching")) : null,
      ),
    ),
  );
}

function draw(channels) {
  const now = JSON.stringify(channels.map(({ id, title, state, viewers, playback }) => [id, title, state, viewers, playback]));
  if (now === drawn) return;
  drawn = now;
  const held = document.activeElement?.closest?.(".show-card")?.href;
  const on = channels.filter(({ state }) => isOn(state));
  const off = channels.filter(({ state }) => !isOn(state));
  find("shows").replaceChildren(...on.map(show));
  find("off-shows").replaceChildren(...off.map(show));
  find("off").hidden = off.length === 0;
  [...document.querySelectorAll(".show-card")].find(({ href }) => href === held)?.focus();
  const silent = channels.length ? "Nothing is live right now." : "No shows yet. The first one appears here.";
  setText(find("note"), on.length ? "" : silent);
}

function seeWhoEnded(channels) {
  const now = new Set(channels.filter(({ state }) => isOn(state)).map(({ id }) => id));
  if ([...wereOn].some((id) => !now.has(id))) ended = performance.now();
  wereOn = now;
}

async function refresh() {
  try {
    const channels = await new Api().channels();
    seeWhoEnded(channels);
    const rank = ({ state }) => (state === "live" ? 0 : state === "interrupted" ? 1 : 2);
    channels.sort((a, b) => rank(a) - rank(b) || (a.title || a.id).localeCompare(b.title || b.id));
    freshen(channels);
    draw(channels);
    // What a ticket opens is no offer to whoever passes by.
    await drawPast(channels.filter(({ playback }) => playback !== "signed").slice(0, MOST_ASKED));
  } catch (error) {
    drawn = "";
    setText(find("note"), error.status === 0 ? "No connection. We keep trying." : error.message);
  }
  setTimeout(refresh, REFRESH_MS);
}

async function drawPast(channels, now = performance.now()) {
  if (!lookDue({ now, asked, ended })) return;
  asked = now;
  const found = await Promise.all(channels.map(({ id }) => new Api().sessions(id, 3).catch(() => [])));
  const past = playable(found.flat()).slice(0, MOST_PAST);
  const text = JSON.stringify(past.map(({ id }) => id));
  if (text === drawnPast) return;
  drawnPast = text;
  find("past").hidden = past.length === 0;
  find("past-shows").replaceChildren(...past.map((session) => pastShow(session, { named: true })));
}

refresh();

/** The lobby: the shows that are on, then the others, then those to watch again. */

import { Api, urls } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { pastShow, playable } from "./shows.js";

const REFRESH_MS = 10_000;
const PAST_REFRESH_MS = 60_000;
/** Channels that are asked for their last shows, and how many shows are listed. */
const MOST_ASKED = 24;
const MOST_PAST = 12;
const find = (id) => document.getElementById(id);
let drawn = "";
let drawnPast = "";
let asked = -Infinity;

function show({ id, title, state, viewers }) {
  const live = state === "live" || state === "interrupted";
  return h(
    "li",
    {},
    h(
      "a",
      { className: live ? "show-card show-card-live" : "show-card", href: urls.watch(id) },
      h("span", { className: "show-window", "aria-hidden": "true" }, h("span", { className: "brand-mark" })),
      h(
        "span",
        { className: "show-foot" },
        h("span", { className: "show-title" }, title || id),
        live
          ? h("span", { className: "badge" }, "Live")
          : h("span", { className: "show-off" }, "Off air"),
        live && viewers > 0 ? h("span", { className: "show-viewers" }, icon("eye"), String(viewers)) : null,
      ),
    ),
  );
}

async function refresh() {
  try {
    const channels = await new Api().channels();
    const rank = ({ state }) => (state === "live" ? 0 : state === "interrupted" ? 1 : 2);
    channels.sort((a, b) => rank(a) - rank(b) || (a.title || a.id).localeCompare(b.title || b.id));
    setText(find("note"), channels.length ? "" : "No shows yet. The first one appears here.");
    const now = JSON.stringify(channels.map(({ id, title, state, viewers }) => [id, title, state, viewers]));
    if (now !== drawn) find("shows").replaceChildren(...channels.map(show));
    drawn = now;
    await drawPast(channels.slice(0, MOST_ASKED));
  } catch (error) {
    setText(find("note"), error.status === 0 ? "No connection. We keep trying." : error.message);
  }
  setTimeout(refresh, REFRESH_MS);
}

async function drawPast(channels, now = performance.now()) {
  if (now - asked < PAST_REFRESH_MS) return;
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

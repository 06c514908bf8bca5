/** What the ingest coach says, in one line and as cards. Words are pure; cards are drawn in place. */

import { h, setText } from "./dom.js";

const RANK = { error: 0, warning: 1, info: 2 };

/** Bring a warning to one shape; text alone is a warning without more. */
export function asWarning(warning) {
  const given = typeof warning === "string" ? { message: warning } : warning;
  const severity = given.severity in RANK ? given.severity : "warning";
  return { ...given, severity, code: given.code ?? given.message, message: given.message ?? given.code ?? "" };
}

/** Count what is to be mended; information is not. */
export function troubles(channel) {
  return (channel?.warnings ?? []).map(asWarning).filter(({ severity }) => severity !== "info").length;
}

/** Say how a channel fares: `{level, words}`, level `off`, `good`, `warning` or `error`. */
export function summary(channel, reachable = true) {
  if (!reachable) return { level: "error", words: "No connection to the server" };
  const count = troubles(channel);
  const things = count === 1 ? "1 thing to mend" : `${count} things to mend`;
  if (channel?.state === "interrupted") return { level: "warning", words: "Waiting for your encoder" };
  if (channel?.warnings?.some(({ severity }) => severity === "error")) return { level: "error", words: `${things}, now` };
  if (count > 0) return { level: "warning", words: things };
  if (channel?.state === "live") return { level: "good", words: "All good" };
  return { level: "off", words: "Off air" };
}

/** Say for how long: `since` is RFC 3339, `now` in ms. */
export function lasting(since, now) {
  const seconds = Math.floor((now - Date.parse(since ?? "")) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.max(0, seconds)} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** Set text well: menu paths with arrows that stay with what is before, numbers with their unit. */
export function typeset(text) {
  const arrows = (text ?? "").replaceAll(" > ", "\u00a0\u203a ");
  return arrows.replace(/(\d) (s|ms|fps|dB|kHz|kbit\/s|Mbit\/s)(?![\w/])/g, "$1\u00a0$2");
}

/**
 * Fill a <ul> with a card for each warning, errors first. Cards that stay are changed in place:
 * nothing moves under a finger, and screen readers are told only what is new.
 */
export function drawWarnings(list, warnings, now = Date.now()) {
  const wanted = warnings.map(asWarning).sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const known = new Map([...list.children].map((card) => [card.dataset.code, card]));
  const cards = wanted.map((warning) => fill(known.get(warning.code) ?? makeCard(warning.code), warning, now));
  const stays = new Set(cards);
  for (const card of known.values()) if (!stays.has(card)) card.remove();
  cards.forEach((card, n) => list.children[n] === card || list.insertBefore(card, list.children[n] ?? null));
  list.hidden = cards.length === 0;
}

function makeCard(code) {
  const head = h("p", { className: "warning-head" }, h("strong", { className: "warning-message" }), h("span", { className: "warning-since" }));
  return h("li", { className: "warning", "data-code": code }, head, h("p", { className: "warning-advice" }));
}

function fill(card, { severity, message, advice, since }, now) {
  card.dataset.severity = severity;
  setText(card.querySelector(".warning-message"), typeset(message));
  // How long a thing has been so that is no trouble is nobody's concern.
  setText(card.querySelector(".warning-since"), severity === "info" ? "" : lasting(since, now));
  setText(card.querySelector(".warning-advice"), typeset(advice));
  return card;
}

/** The stream's health in words and numbers, for the studio and for operations. */

import { h } from "./dom.js";

const number = (digits) => (value) => (Number.isFinite(value) ? value.toFixed(digits) : null);
const bits = (value) => (Number.isFinite(value) ? (value >= 1e6 ? `${(value / 1e6).toFixed(2)} Mbit/s` : `${Math.round(value / 1e3)} kbit/s`) : null);
const seconds = (value) => (Number.isFinite(value) ? `${value.toFixed(1)} s` : null);

const READINGS = [
  ["Pulled from", ({ protocol, peer }) => (protocol === "pull" ? peer : null)],
  ["Bitrate", ({ bitrate }) => bits(bitrate)],
  ["Frame rate", ({ fps }) => (Number.isFinite(fps) ? `${number(fps % 1 ? 2 : 0)(fps)} fps` : null)],
  ["Picture", ({ width, height }) => (width && height ? `${width}\u00d7${height}` : null)],
  ["Video", ({ codec, video }) => codec || video || null],
  ["Audio", ({ audio, sample_rate: rate }) => [audio, rate ? `${rate / 1000} kHz` : null].filter(Boolean).join(", ") || null],
  ["Keyframes", ({ keyframe_interval: interval }) => (interval > 0 ? `every ${seconds(interval)}` : null)],
  ["Encoder", ({ encoder }) => encoder || null],
  ["Dropped", ({ frames_dropped: dropped }) => (dropped > 0 ? `${dropped} frames` : null)],
  ["Encoding speed", ({ speed }) => (Number.isFinite(speed) ? `${speed.toFixed(2)}\u00d7` : null)],
];

/** Fill a <dl> with what is known of a channel's ingest and ladder. */
export function drawReadings(list, channel) {
  const ingest = channel?.ingest ?? {};
  const rows = READINGS.map(([term, read]) => [term, read(ingest)]).filter(([, value]) => value !== null && value !== undefined);
  const rungs = (channel?.renditions ?? []).filter(({ width }) => width).map(({ name }) => name);
  if (rungs.length) rows.push(["Ladder", rungs.join(", ")]);
  if (Number.isInteger(channel?.viewers)) rows.push(["Viewers", String(channel.viewers)]);
  const live = channel?.state === "live" || channel?.state === "interrupted";
  const entries = live ? rows.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, String(value)))) : [];
  list.replaceChildren(...entries);
  if (!live) list.append(h("div", { className: "hint" }, hintOf(channel?.source)));
}

const WAITS = { connecting: "Connecting to", waiting: "Waiting for", "on-air": "Reading", standby: "Ready to read" };

/** Say what a channel that is off the air waits for. */
export function hintOf(source) {
  if (source?.enabled) return `${WAITS[source.state] ?? "Waiting for"} ${source.url}: the figures appear here.`;
  return "Start streaming in OBS: the figures appear here.";
}

/** Fill a <ul> with warnings; each is text, or `{message, advice}`. An empty list is hidden. */
export function drawWarnings(list, warnings) {
  const texts = warnings.map((warning) => (typeof warning === "string" ? warning : [warning.message ?? warning.code, warning.advice].filter(Boolean).join(" ")));
  const now = JSON.stringify(texts);
  if (list.dataset.drawn === now) return;
  list.dataset.drawn = now;
  list.hidden = texts.length === 0;
  list.replaceChildren(...texts.map((text) => h("li", {}, text)));
}

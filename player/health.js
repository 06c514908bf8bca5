/** The stream's health in words and numbers, for the studio and for operations. */

import { h } from "./dom.js";

export { drawWarnings } from "./coach.js";

/** A channel's state in words for those who run it. */
export const STATES = { live: "On air", interrupted: "Reconnecting", offline: "Off air" };

const number = (digits) => (value) => (Number.isFinite(value) ? value.toFixed(digits) : null);
export const bits = (value) => (Number.isFinite(value) ? (value >= 1e6 ? `${(value / 1e6).toFixed(2)}\u00a0Mbit/s` : `${Math.round(value / 1e3)}\u00a0kbit/s`) : null);
const seconds = (value) => (Number.isFinite(value) ? `${value.toFixed(1)} s` : null);

const fps = (value) => (Number.isFinite(value) ? `${number(Math.abs(value - Math.round(value)) > 0.02 ? 2 : 0)(value)} fps` : null);
const kbit = (value) => (value > 0 ? bits(value) : null);
const count = (value, one, many) => (value > 0 ? `${value} ${value === 1 ? one : many}` : null);

const READINGS = [
  ["Pulled from", ({ protocol, peer }) => (protocol === "pull" ? peer : null)],
  ["Bitrate", ({ bitrate }) => bits(bitrate)],
  ["Frame rate", ({ source_fps: stamped, fps: came }) => fps(stamped || came)],
  ["Picture", ({ width, height }) => (width && height ? `${width}\u00d7${height}` : null)],
  ["Video", ({ codec, video, video_bitrate: rate }) => [codec || video, kbit(rate)].filter(Boolean).join(", ") || null],
  ["Audio", (ingest) => audio(ingest)],
  ["Keyframes", ({ keyframe_interval: interval }) => (interval > 0 ? `every ${seconds(interval)}` : null)],
  ["Encoder", ({ encoder }) => encoder || null],
  ["Late", ({ late }) => (late >= 0.5 ? seconds(late) : null)],
  ["Left out by the encoder", ({ frames_lost: lost }) => count(lost, "frame", "frames")],
  ["Damaged", ({ frames_damaged: damaged }) => count(damaged, "frame", "frames")],
  ["Dropped", ({ frames_dropped: dropped }) => count(dropped, "frame", "frames")],
  ["Clock jumps", ({ timestamp_jumps: jumps }) => (jumps > 0 ? String(jumps) : null)],
  ["Encoding speed", ({ speed }) => (Number.isFinite(speed) && speed > 0 ? `${speed.toFixed(2)}\u00d7` : null)],
];

function audio({ audio: codec, sample_rate: rate, channels, audio_bitrate: bitrate }) {
  if (!codec) return null;
  const places = { 1: "mono", 2: "stereo" };
  const parts = [codec.toUpperCase(), rate && `${rate / 1000} kHz`, places[channels] ?? (channels && `${channels} channels`), kbit(bitrate)];
  return parts.filter(Boolean).join(", ");
}

/** Say what is known of a channel's ingest and ladder, but for what is `shown` already: [term, text] each. */
export function readingsOf(channel, shown = []) {
  const live = channel?.state === "live" || channel?.state === "interrupted";
  if (!live) return [];
  // What a lost encoder last sent would pass for what comes now.
  const ingest = channel.state === "live" ? channel.ingest ?? {} : {};
  const rows = READINGS.filter(([term]) => !shown.includes(term)).map(([term, read]) => [term, read(ingest)]).filter(([, value]) => value !== null && value !== undefined);
  const rungs = (channel.renditions ?? []).filter(({ width }) => width).map(({ name }) => name);
  if (rungs.length) rows.push(["Ladder", rungs.join(", ")]);
  if (Number.isInteger(channel.viewers)) rows.push(["Viewers", String(channel.viewers)]);
  return rows;
}

/** Fill a <dl> with a channel's readings, and with what it waits for. */
export function drawReadings(list, channel, shown = []) {
  const rows = readingsOf(channel, shown).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)));
  list.replaceChildren(...rows);
  const waits = waitsFor(channel);
  if (waits) list.append(h("div", { className: "hint" }, waits));
}

function waitsFor(channel) {
  if (channel?.state === "interrupted") return "The encoder was lost: its figures come back with it.";
  return channel?.state === "live" || channel?.ingest?.peer ? null : hintOf(channel?.source);
}

const WAITS = { connecting: "Connecting to", waiting: "Waiting for", "on-air": "Reading", standby: "Ready to read" };

/** Say what a channel that is off the air waits for. */
export function hintOf(source) {
  if (source?.enabled) return `${WAITS[source.state] ?? "Waiting for"} ${source.url}: the figures appear here.`;
  return "Start streaming in OBS: the figures appear here.";
}

/** Thumbnails of a recording: WebVTT whose cues name pieces of pictures (`sheet.jpg#xywh=...`). */

import { last } from "./axis.js";

const CUE = /(\d+:)?(\d{2}):(\d{2}\.\d{3})\s+-->\s+(\d+:)?(\d{2}):(\d{2}\.\d{3})[^\n]*\n([^\n]+)/g;
const PIECE = /^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

const seconds = (hours, minutes, rest) => Number.parseInt(hours ?? "0", 10) * 3600 + Number(minutes) * 60 + Number(rest);

/** Read the cues, `{start, end, url, x, y, width, height}` in order; addresses are made whole by `base`. */
export function readStoryboard(text, base) {
  const cues = [];
  for (const [, h1, m1, s1, h2, m2, s2, payload] of text.replaceAll("\r\n", "\n").matchAll(CUE)) {
    const piece = PIECE.exec(payload.trim());
    if (!piece) continue;
    const [x, y, width, height] = piece.slice(2).map(Number);
    cues.push({ start: seconds(h1, m1, s1), end: seconds(h2, m2, s2), url: new URL(piece[1], base).href, x, y, width, height });
  }
  return cues.sort((a, b) => a.start - b.start);
}

/** Find the thumbnail of a moment; null when there is none. */
export function tileAt(cues, time) {
  return cues[last(cues, ({ start }) => start <= time)] ?? cues[0] ?? null;
}

/** What leaves this device, from two looks at getStats(). Pure. */

const number = (value) => (Number.isFinite(value) ? value : null);

/** Pick what counts out of an RTCStatsReport: a plain value that can be compared with the next. */
export function look(report, at) {
  const found = { at, videoBytes: 0, audioBytes: 0, frames: null, width: null, height: null, codec: null, limited: null, roundTrip: null, lost: null };
  const codecs = new Map();
  for (const stat of report.values()) {
    if (stat.type === "codec") codecs.set(stat.id, stat.mimeType);
    if (stat.type === "outbound-rtp" && stat.kind === "video") {
      found.videoBytes += stat.bytesSent ?? 0;
      found.frames = number(stat.framesSent ?? stat.framesEncoded);
      found.width = number(stat.frameWidth);
      found.height = number(stat.frameHeight);
      found.limited = stat.qualityLimitationReason ?? null;
      found.codec = stat.codecId ?? null;
    }
    if (stat.type === "outbound-rtp" && stat.kind === "audio") found.audioBytes += stat.bytesSent ?? 0;
    if (stat.type === "remote-inbound-rtp" && stat.kind === "video") {
      found.roundTrip = number(stat.roundTripTime);
      found.lost = number(stat.fractionLost);
    }
  }
  found.codec = codecs.get(found.codec)?.split("/")[1] ?? null;
  return found;
}

/** Compare two looks: bit/s and pictures/s between them; the rest as it is now. */
export function outgoing(before, now) {
  const seconds = (now.at - before.at) / 1000;
  const rate = (a, b) => (seconds > 0 && b >= a ? (b - a) / seconds : null);
  const video = rate(before.videoBytes, now.videoBytes);
  const audio = rate(before.audioBytes, now.audioBytes);
  return {
    bitrate: video === null && audio === null ? null : 8 * ((video ?? 0) + (audio ?? 0)),
    fps: before.frames === null || now.frames === null ? null : rate(before.frames, now.frames),
    width: now.width,
    height: now.height,
    codec: now.codec,
    limited: now.limited === "none" ? null : now.limited,
    roundTrip: now.roundTrip,
    lost: now.lost,
  };
}

const LIMITS = { bandwidth: "the network", cpu: "this device's processor", other: "the browser" };
const bits = (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} Mbit/s` : `${Math.round(value / 1e3)} kbit/s`);

/** Write the figures as rows of [term, value]; what is not known is left out. */
export function rows(figures) {
  const { bitrate, fps, width, height, codec, limited, roundTrip, lost } = figures;
  return [
    ["Bitrate", bitrate === null ? null : bits(bitrate)],
    ["Frame rate", fps === null ? null : `${Math.round(fps)} fps`],
    ["Picture", width && height ? `${width}\u00d7${height}` : null],
    ["Codec", codec],
    ["Held back by", limited ? (LIMITS[limited] ?? limited) : null],
    ["Round trip", roundTrip === null ? null : `${Math.round(roundTrip * 1000)} ms`],
    ["Lost on the way", lost ? `${(lost * 100).toFixed(1)} %` : null],
  ].filter(([, value]) => value);
}

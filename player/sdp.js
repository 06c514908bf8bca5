/** The few things that a WHIP client reads and writes in SDP and its headers. Pure. */

/**
 * Begin near the bitrate that is meant: without it Chrome begins at 300 kbit/s and takes half a
 * minute to get there. Other browsers skip the parameter.
 */
export function withStart(answer, kbits) {
  let video = false;
  const types = new Set();
  const lines = answer.split("\r\n");
  for (const line of lines) {
    if (line.startsWith("m=")) video = line.startsWith("m=video");
    const codec = video && /^a=rtpmap:(\d+) (?:H264|VP8)\//i.exec(line);
    if (codec) types.add(codec[1]);
  }
  const told = new Set();
  const written = lines.map((line) => {
    const [, type] = /^a=fmtp:(\d+) /.exec(line) ?? [];
    if (!types.has(type)) return line;
    told.add(type);
    return `${line};x-google-start-bitrate=${kbits}`;
  });
  return written
    .flatMap((line) => {
      const [, type] = /^a=rtpmap:(\d+) /.exec(line) ?? [];
      return types.has(type) && !told.has(type) ? [line, `a=fmtp:${type} x-google-start-bitrate=${kbits}`] : [line];
    })
    .join("\r\n");
}

/** Read the STUN and TURN servers from an answer's Link headers (RFC 9725 4.6). */
export function iceServersOf(links) {
  const found = [];
  for (const [, url, rest] of (links ?? "").matchAll(/<((?:stun|turn)s?:[^>]+)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,]+))*)/gi)) {
    const given = {};
    for (const [, name, quoted, bare] of rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,]+))/g)) {
      given[name.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    }
    if (given.rel !== "ice-server") continue;
    found.push(given.username ? { urls: url, username: given.username, credential: given.credential ?? "" } : { urls: url });
  }
  return found;
}

/** Order codecs for sending: H.264, which devices encode in hardware, then VP8; no others. */
export function preferred(codecs) {
  const rank = ({ mimeType }) => ["video/h264", "video/vp8", "video/rtx"].indexOf(mimeType.toLowerCase());
  // Of H.264 the fragmented mode first, and what every decoder can: baseline.
  const inner = ({ sdpFmtpLine: line = "" }) => (/packetization-mode=1/.test(line) ? 0 : 2) + (/profile-level-id=42/i.test(line) ? 0 : 1);
  return codecs.filter((codec) => rank(codec) >= 0).sort((a, b) => rank(a) - rank(b) || inner(a) - inner(b));
}

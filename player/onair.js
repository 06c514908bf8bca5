/** What the camera page says of itself: states and errors in words. Pure. */

export const Air = Object.freeze({
  ASKING: "asking",
  READY: "ready",
  CONNECTING: "connecting",
  LIVE: "live",
  RECONNECTING: "reconnecting",
  ENDED: "ended",
  BLIND: "blind",
});

const WORDS = {
  [Air.ASKING]: ["Asking for permission", "Allow the camera and the microphone: the browser is asking now."],
  [Air.READY]: ["Ready", "Nobody sees you yet. Press Go live when you are."],
  [Air.CONNECTING]: ["Connecting", "One moment: calling the server."],
  [Air.LIVE]: ["On the air", "Viewers see and hear you. Press Stop to end the show."],
  [Air.RECONNECTING]: ["Reconnecting", "The connection dropped. Stay here: the show goes on by itself."],
  [Air.ENDED]: ["Ended", "You are off the air."],
  [Air.BLIND]: ["No picture", "There is nothing to send yet."],
};

/** Give a state's short word and its sentence. */
export function wordsOf(air) {
  return WORDS[air] ?? ["", ""];
}

/** Tell whether the show is on, or is meant to be. */
export function isOn(air) {
  return air === Air.CONNECTING || air === Air.LIVE || air === Air.RECONNECTING;
}

const INSECURE = [
  "This address is not secure",
  "Browsers give the camera to secure pages only. Open this page with https://, or on the server itself with http://localhost.",
];
const FAILURES = {
  NotAllowedError: ["The camera is not allowed", "Allow camera and microphone for this page (the sign beside its address), then press Try again."],
  NotFoundError: ["No camera was found", "Plug one in or switch it on, then press Try again. Or share a screen."],
  NotReadableError: ["The camera is busy", "Another program uses the camera or the microphone. Close it, then press Try again."],
  AbortError: ["The camera stopped", "Something on this device stopped it. Press Try again."],
  OldBrowser: ["This browser cannot go live", "Open the page in a current Chrome, Edge, Firefox or Safari."],
};

/** Give heading and advice for what getUserMedia refused; `secure`: the page's context is. */
export function failureOf(error, secure = true) {
  if (!secure) return INSECURE;
  const name = error?.name === "SecurityError" ? "NotAllowedError" : error?.name;
  return FAILURES[name] ?? ["The camera cannot be opened", `${error?.message || name || "No reason was given"}. Press Try again.`];
}

/**
 * What to do about a refused offer: `wait` ms before the next try; null: do not try again, and
 * say `sentence`; `key`: ask for another stream key.
 */
export function afterRefusal({ status, message, retryAfter }, backoffMs) {
  if (status === 401 || status === 403) return { wait: null, key: true, sentence: message };
  if (status === 404) return { wait: null, key: false, sentence: "This server takes no publishers from browsers (ingest.whip.enabled is off)." };
  if (status === 429) return { wait: Math.max(1, retryAfter ?? 5) * 1000, key: false, sentence: message };
  if (status >= 400 && status < 500) return { wait: null, key: false, sentence: message };
  return { wait: backoffMs, key: false, sentence: message };
}

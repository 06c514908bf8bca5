/** WebRTC's offers, answers and goodbyes over HTTP, whichever side sends (RFC 9725, which WHEP follows). */

import { ApiError } from "./api.js";
import { iceServersOf } from "./sdp.js";

/** How long an offer may take to be answered. */
export const DEADLINE_MS = 12_000;
const GOODBYE_MS = 3_000;

/** Wait for this side's candidates; the ones that take longer are seldom the ones that work. */
export function gathered(connection, milliseconds) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    connection.addEventListener("icegatheringstatechange", () => connection.iceGatheringState === "complete" && resolve());
  });
}

/** POST an offer; answers `{resource, answer, iceServers, headers}`. Throws ApiError. */
export async function post(url, token, offer) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
      body: offer,
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (response.status === 201) {
      const { headers } = response;
      const resource = new URL(headers.get("Location"), url).href;
      return { resource, answer: await response.text(), iceServers: iceServersOf(headers.get("Link")), headers };
    }
  } catch {
    throw new ApiError(0, { title: "The server cannot be reached." });
  }
  const problem = await response.json().catch(() => null);
  throw new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || null);
}

/** Say goodbye; it is sent even while the page goes away. */
export async function bye(resource, token) {
  const headers = { Authorization: `Bearer ${token}` };
  await fetch(resource, { method: "DELETE", headers, keepalive: true, signal: AbortSignal.timeout(GOODBYE_MS) }).catch(() => undefined);
}

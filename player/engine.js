/** How hls.js is loaded and set up. */

import { urls } from "./api.js";

export const CATCH_UP_RATE = 1.08;

const retry = (attempts) => ({
  maxNumRetry: attempts,
  retryDelayMs: 400,
  maxRetryDelayMs: 4_000,
  backoff: "exponential",
});
const policy = (firstByte, whole, attempts) => ({
  default: {
    maxTimeToFirstByteMs: firstByte,
    maxLoadTimeMs: whole,
    timeoutRetry: retry(2),
    errorRetry: retry(attempts),
  },
});

const LIVE = Object.freeze({
  lowLatencyMode: true,
  maxLiveSyncPlaybackRate: CATCH_UP_RATE,
  backBufferLength: 30,
  maxBufferLength: 20,
  capLevelToPlayerSize: true,
  abrEwmaDefaultEstimate: 2_500_000,
  enableWorker: true,
  // The player has its own timeline; the cues' <track> would need data: in the media policy.
  enableDateRangeMetadataCues: false,
  enableEmsgMetadataCues: false,
  enableID3MetadataCues: false,
  workerPath: urls.vendor("hls.js/dist/hls.worker.js"),
  manifestLoadPolicy: policy(8_000, 12_000, 1),
  playlistLoadPolicy: policy(12_000, 15_000, 6),
  fragLoadPolicy: policy(10_000, 30_000, 5),
});

/** A recording has no edge to keep close to, and room to load ahead. */
const RECORDED = Object.freeze({ lowLatencyMode: false, maxLiveSyncPlaybackRate: 1, backBufferLength: 60, maxBufferLength: 30 });

/** Give the settings; of a recording from `begin` (seconds) on, null: its beginning. */
export function configOf(recorded, begin) {
  if (!recorded) return { ...LIVE };
  return { ...LIVE, ...RECORDED, ...(begin === null ? {} : { startPosition: begin }) };
}

/** hls.js by the page's import map; a page of another site has none. */
export async function loadHls() {
  const module = await import("hls.js").catch(() => import(urls.vendor("hls.js/dist/hls.light.min.mjs")));
  return module.default;
}

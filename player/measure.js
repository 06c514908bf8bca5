/** What can be measured of a picture that plays, for people who ask. */

/**
 * Measure: seconds, pixels, counts. Missing ones are null.
 *
 * `hls`: null where the browser plays; `shown`: the picture's date, `now`: ours, UTC ms.
 */
export function measure(video, hls, shown, fault, now) {
  const glass = shown === null ? null : (now - shown) / 1000;
  const { buffered, currentTime } = video;
  const ahead = buffered.length ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
  const quality = video.getVideoPlaybackQuality?.();
  return {
    // A viewer's clock may be wrong by any amount: then the distance to the edge says more.
    latency: glass !== null && glass > -0.5 && glass < 120 ? glass : (hls?.latency ?? null),
    target: hls?.targetLatency ?? null,
    ahead,
    width: video.videoWidth,
    height: video.videoHeight,
    rate: video.playbackRate,
    dropped: quality?.droppedVideoFrames ?? null,
    frames: quality?.totalVideoFrames ?? null,
    bandwidth: hls?.bandwidthEstimate ?? null,
    engine: hls ? "hls.js" : "native",
    fault,
  };
}

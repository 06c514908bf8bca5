/** Tell of every presented frame, by its media time. */

/**
 * Call `present(mediaTime)` for each presented frame, and after seeks and on return to the tab,
 * when a still frame shows another instant. Answers a function that stops it.
 */
export function onFrames(video, present) {
  const now = () => present(video.currentTime);
  const leave = [];
  const listen = (target, kind) => {
    target.addEventListener(kind, now);
    leave.push(() => target.removeEventListener(kind, now));
  };
  for (const kind of ["seeking", "seeked", "pause", "loadeddata"]) listen(video, kind);
  listen(document, "visibilitychange");
  if (typeof video.requestVideoFrameCallback === "function") {
    let handle = 0;
    const frame = (_, { mediaTime }) => {
      handle = video.requestVideoFrameCallback(frame);
      present(mediaTime);
    };
    handle = video.requestVideoFrameCallback(frame);
    leave.push(() => video.cancelVideoFrameCallback(handle));
  }
  // Also where frames are told: a hidden tab presents none, and the list beside must go on.
  listen(video, "timeupdate");
  return () => leave.forEach((stop) => stop());
}

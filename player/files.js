/** The files in which a whole show is had. */

/** Give `[path, words]` of each: one file holds one format, a show that changed it has several parts. */
export function wholes(parts) {
  if (!(parts > 1)) return [["recording.mp4", "The whole show (MP4)"]];
  return Array.from({ length: parts }, (_, index) => [`recording.mp4?part=${index + 1}`, `The show, part ${index + 1} of ${parts} (MP4)`]);
}

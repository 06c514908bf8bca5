/** The shows of a channel that are over, and the way to the last one while none is on. */

import { Api, urls } from "./api.js";
import { playable } from "./shows.js";

/** A show that has just ended is listed as soon as it is written to its end: when it is looked for. */
const LOOK_AFTER_SECONDS = [3, 10, 30];

/**
 * Keep the shows that are over of what `player` plays: the last one is offered in it, opened in
 * `target` (as a link's); `told(shows)`: newest first, each time that they were asked for.
 */
export function followPast(player, { target = "", told = () => undefined } = {}) {
  const [channel, token] = ["channel", "token"].map((name) => player.getAttribute(name));
  let known = null;
  const look = async () => {
    const past = playable(await new Api().sessions(channel).catch(() => []));
    const [last] = past;
    const href = last && urls.replay(channel, last.id, token);
    player.instead = last ? { href, target, text: "Watch the last show" } : null;
    told(past);
  };
  player.feed.addEventListener("channel", () => {
    const { state } = player.feed;
    if (state === known) return;
    const ended = known !== null && state === "offline";
    known = state;
    look();
    if (ended) for (const seconds of LOOK_AFTER_SECONDS) setTimeout(look, seconds * 1000);
  });
}

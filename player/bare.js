/** The bare player of `/embed/{channel}`: nothing but the element, filling its frame. */

import "./embed.js";
import { followPast } from "./past.js";

const player = document.querySelector("vitrine-player");
document.addEventListener("keydown", (event) => player.handleKey(event));
// A recording has a page of its own, which only we may frame.
followPast(player, { target: "_blank" });

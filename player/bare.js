/** The bare player of `/embed/{channel}`: nothing but the element, filling its frame. */

import "./embed.js";

const player = document.querySelector("vitrine-player");
document.addEventListener("keydown", (event) => player.handleKey(event));

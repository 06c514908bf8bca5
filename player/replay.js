/** The page of a recording: the player, and beside it its products as chapters. */

import "./embed.js";
import { Api, urls } from "./api.js";
import { chapter } from "./chapter.js";
import { h, setText } from "./dom.js";
import { wholes } from "./files.js";
import { clock, spoken } from "./reel.js";
import { hideTicket, share } from "./share.js";
import { readStoryboard } from "./storyboard.js";

/** How often thumbnails that are being made are asked for, and how far apart where nothing is said. */
const ASKS = 60;
const AGAIN_SECONDS = 5;

const find = (id) => document.getElementById(id);
const player = document.querySelector("vitrine-player");
const [channel, session, token] = ["channel", "session", "token"].map((name) => player.getAttribute(name));
const address = (path) => urls.ofReplay(channel, session, path, token);
let drawn = "";
let offered = "";

function isOn({ from, to }) {
  const { time } = player.playback.position;
  return from <= time && time < to;
}

function drawChapters() {
  const { feed, stretches } = player;
  const { locale } = feed.overlay;
  const rows = stretches
    .map((stretch) => ({ stretch, product: feed.productOf(stretch.interval), current: isOn(stretch) }))
    .filter(({ product }) => product);
  const empty = rows.length === 0 && player.playback.position.range !== null;
  const now = JSON.stringify([locale, empty, rows.map(({ stretch, product, current }) => [stretch.id, stretch.from, product, current])]);
  if (now === drawn) return;
  drawn = now;
  const held = [...find("chapters").querySelectorAll("button, a")].indexOf(document.activeElement);
  find("chapters").replaceChildren(...rows.map(({ stretch, product, current }) => chapter(stretch, product, { locale, current, jump })));
  if (held >= 0) find("chapters").querySelectorAll("button, a")[held]?.focus();
  find("empty").hidden = !empty;
  drawDownloads(rows);
}

/** A moment later than the beginning: times are rounded, and the card is to be in the picture. */
function jump({ from }) {
  player.jumpTo(Math.max(0, from) + 0.05);
  if (player.getBoundingClientRect().bottom < innerHeight / 3) player.scrollIntoView({ block: "start" });
}

function drawDownloads(rows) {
  const clips = rows.map(({ stretch, product }) => [
    `clip.mp4?pin=${encodeURIComponent(stretch.interval.id)}`,
    `${product.title}, from ${clock(stretch.from)} (MP4)`,
  ]);
  const files = [...wholes(Number(find("files").dataset.parts)), ...clips];
  // Not for a row that only is on the screen now: whoever is on a link here stays on it.
  const now = JSON.stringify(files);
  if (now === offered) return;
  offered = now;
  find("downloads").replaceChildren(...files.map(([path, text]) => h("li", {}, h("a", { href: address(path), download: "" }, text))));
}

function drawWhen() {
  const started = new Date(find("started").dateTime);
  setText(find("started"), started.toLocaleDateString(undefined, { dateStyle: "long" }));
  const { range } = player.playback.position;
  if (range === null) return;
  setText(find("length"), ` · ${clock(range.end)}`);
  find("length").setAttribute("aria-label", spoken(range.end));
}

/** Thumbnails are made after the show; until they are there the bar tells the time alone. */
async function loadStoryboard(asks = ASKS) {
  const url = address("storyboard.vtt");
  const answer = await fetch(url).catch(() => null);
  if (answer?.status === 200) player.storyboard = readStoryboard(await answer.text(), url);
  else if (answer?.status === 202 && asks > 0) {
    const seconds = Number(answer.headers.get("Retry-After")) || AGAIN_SECONDS;
    setTimeout(() => loadStoryboard(asks - 1), seconds * 1000);
  }
}

/** Say that the channel is live, for who follows a link to an old show. */
async function pointToLive() {
  const found = await new Api().channel(channel).catch(() => null);
  if (found === null) find("live").remove();
  else if (found.state === "live") {
    setText(find("live"), "Live now: watch");
    find("live").classList.add("share-live");
  }
}

function arrange() {
  document.body.dataset.shape = player.dataset.shape === "portrait" ? "portrait" : "landscape";
}

player.feed.addEventListener("products", drawChapters);
player.addEventListener("vitrine-shown", drawChapters);
player.addEventListener("vitrine-on-air", drawChapters);
player.addEventListener("vitrine-shape", arrange);
for (const kind of ["timeupdate", "seeking"]) player.video.addEventListener(kind, drawChapters);
for (const kind of ["durationchange", "loadedmetadata"]) player.video.addEventListener(kind, drawWhen);
player.video.poster = address("poster.jpg");
document.addEventListener("keydown", (event) => player.handleKey(event));
find("share").addEventListener("click", () => share(find("share"), Math.floor(player.playback.position.time)));
hideTicket();
drawWhen();
arrange();
loadStoryboard();
pointToLive();

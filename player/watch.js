/** The viewer page: the player, and beside it (below it on a phone) the products. */

import "./embed.js";
import { setText } from "./dom.js";
import { wordsOfNone } from "./notice.js";
import { followPast } from "./past.js";
import { besideThePicture, EXPIRED, isOnAir, Notice } from "./phase.js";
import { ordered, row } from "./product.js";
import { hideTicket, share } from "./share.js";
import { pastShow } from "./shows.js";

const MOST_PAST = 8;

const WORDS = {
  [Notice.SOON]: "Starts soon",
  [Notice.ENDED]: "This show has ended",
  [Notice.INTERRUPTED]: "The host will be right back",
  [Notice.UNREACHABLE]: "Reconnecting",
  [Notice.MISSING]: "No such show",
  [Notice.DENIED]: "Your ticket does not open this show",
};

const find = (id) => document.getElementById(id);
const player = document.querySelector("vitrine-player");
const wide = matchMedia("(min-width: 900px)");
let drawn = "";

function drawProducts() {
  const { products, overlay } = player.feed;
  const onAir = new Set(player.onAir.map(({ productId }) => productId));
  const { locale } = overlay;
  const list = ordered(products.values(), onAir);
  const now = JSON.stringify([locale, list, [...onAir]]);
  if (now === drawn) return;
  drawn = now;
  const { activeElement: active } = document;
  const held = active?.closest?.("[data-product]")?.dataset.product;
  const open = ({ id }) => player.openProduct(id);
  find("rows").replaceChildren(...list.map((product) => row(product, { locale, onAir: onAir.has(product.id), open })));
  find("empty").hidden = list.length > 0;
  if (held) find("rows").querySelector(`[data-product="${CSS.escape(held)}"] ${active.localName}`)?.focus();
}

function wordsOf(notice) {
  if (notice === Notice.SOON && player.feed.hadShow) return "Not live right now";
  if (notice === Notice.DENIED && player.playback.refused === EXPIRED) return "Your ticket has expired";
  return WORDS[notice] ?? "";
}

function drawState() {
  const { state } = player.feed;
  const live = isOnAir(state, player.dataset.notice);
  const notice = besideThePicture(state, player.dataset.notice);
  setText(find("state"), live ? "Live now" : wordsOf(notice));
  setText(find("empty"), wordsOfNone(notice));
  find("state").classList.toggle("panel-live", live);
}

/** The title may be changed while the page is open. */
function drawTitle() {
  const title = player.feed.channel?.title;
  if (!title) return;
  for (const place of document.querySelectorAll("h1, .panel-title")) setText(place, title);
  document.title = `${title} · Vitrine`;
}

/** The list stands on the page but for a portrait show on a phone, which fills the screen. */
function arrange() {
  const portrait = player.dataset.shape === "portrait";
  document.body.dataset.shape = portrait ? "portrait" : "landscape";
  player.toggleAttribute("bagless", wide.matches || !portrait);
}

function drawPast(past) {
  find("past").hidden = past.length === 0;
  find("past-shows").replaceChildren(...past.slice(0, MOST_PAST).map((session) => pastShow(session)));
}

player.feed.addEventListener("channel", drawTitle);
player.feed.addEventListener("products", drawProducts);
player.addEventListener("vitrine-on-air", drawProducts);
player.addEventListener("vitrine-notice", drawState);
player.addEventListener("vitrine-shape", arrange);
wide.addEventListener("change", arrange);
document.addEventListener("keydown", (event) => player.handleKey(event));
find("share").addEventListener("click", () => share(find("share")));
player.setAttribute("bare", "");
followPast(player, { told: drawPast });
hideTicket();
arrange();

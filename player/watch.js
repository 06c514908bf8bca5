/** The viewer page: the player, and beside it (below it on a phone) the products. */

import "./embed.js";
import { setText } from "./dom.js";
import { Notice } from "./phase.js";
import { ordered, row } from "./product.js";

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
  const held = document.activeElement?.closest?.("[data-product]")?.dataset.product;
  const open = ({ id }) => player.openProduct(id);
  find("rows").replaceChildren(...list.map((product) => row(product, { locale, onAir: onAir.has(product.id), open })));
  find("empty").hidden = list.length > 0;
  if (held) find("rows").querySelector(`[data-product="${CSS.escape(held)}"] button`)?.focus();
}

function drawState() {
  const { state } = player.feed;
  const live = state === "live";
  // A slate in the picture plays on: what is the matter is told here all the same.
  const notice = state === "interrupted" ? Notice.INTERRUPTED : player.dataset.notice;
  setText(find("state"), live ? "Live now" : (WORDS[notice] ?? ""));
  find("state").classList.toggle("panel-live", live);
}

/** The list stands on the page but for a portrait show on a phone, which fills the screen. */
function arrange() {
  const portrait = player.dataset.shape === "portrait";
  document.body.dataset.shape = portrait ? "portrait" : "landscape";
  player.toggleAttribute("bagless", wide.matches || !portrait);
}

async function share() {
  const { title } = document;
  const url = location.origin + location.pathname;
  if (navigator.share) {
    await navigator.share({ title, url }).catch(() => undefined);
    return;
  }
  // Plain HTTP has no clipboard.
  const copied = await Promise.resolve(navigator.clipboard?.writeText(url)).then(
    () => Boolean(navigator.clipboard),
    () => false,
  );
  setText(find("share"), copied ? "Link copied" : "Copy the address above");
  setTimeout(() => setText(find("share"), "Share"), 2_000);
}

player.feed.addEventListener("products", drawProducts);
player.addEventListener("vitrine-on-air", drawProducts);
player.addEventListener("vitrine-notice", drawState);
player.addEventListener("vitrine-shape", arrange);
wide.addEventListener("change", arrange);
document.addEventListener("keydown", (event) => player.handleKey(event));
find("share").addEventListener("click", share);
player.setAttribute("bare", "");
// A ticket in the address bar is soon somebody else's; a cookie keeps it for a reload.
if (player.getAttribute("token") && navigator.cookieEnabled) history.replaceState(null, "", location.pathname);
arrange();

/** The studio's preview: the encoder's own picture without delay, else what viewers see. */

import { backoff } from "./backoff.js";
import { h, setText } from "./dom.js";
import { Whep } from "./whep.js";

const AS_VIEWERS = "As viewers see it, some seconds behind.";
const DIRECT = "From your encoder without delay; cards are not in it.";
const SILENT = "No sound: browsers cannot be sent AAC as it is.";
/** How long a ticket for the preview of a channel that asks for one is good. */
const TICKET_SECONDS = 12 * 3_600;
const DIRECT_CODECS = new Set(["h264", "vp8"]);

/** Say why the encoder's picture cannot be passed on as it is; "" where it can. */
export function obstacleOf(ingest) {
  const { video, b_frames: reordered } = ingest ?? {};
  if (video && !DIRECT_CODECS.has(video)) return `Without delay only H.264 and VP8 can be shown; the encoder sends ${video.toUpperCase()}.`;
  return reordered ? "Without delay only a picture without B-frames can be shown: set them to 0 in the encoder." : "";
}

/** `box`: the <details> around it; `place`: where it plays; `note`: a line of text below. */
export class Preview {
  #name;
  #api;
  #token;
  #parts;
  #whep = null;
  #trying = false;
  #wanted = true;
  #tries = 0;
  #next = 0;
  #problem = "";
  #ticket = "";
  #channel = null;
  #toggle = h("button", { type: "button", className: "preview-toggle", onclick: () => this.#switch() });
  #words = h("span");

  constructor(name, api, token, parts) {
    this.#name = name;
    this.#api = api;
    this.#token = token;
    this.#parts = parts;
    parts.note.append(this.#words, this.#toggle);
    parts.box.addEventListener("toggle", () => (parts.box.open ? this.#showViewers() : this.#clear()));
    addEventListener("pagehide", () => this.#whep?.stop());
  }

  /** Follow the channel: a broadcast that begins is shown, one that fits without delay. */
  async draw(channel) {
    this.#channel = channel;
    await this.#admit();
    const { box } = this.#parts;
    if (box.open && !this.#parts.place.hasChildNodes()) await this.#showViewers();
    const ready = channel?.state === "live" && Boolean(channel.ingest?.video) && !obstacleOf(channel.ingest);
    const due = ready && this.#wanted && !this.#whep && !this.#trying && performance.now() >= this.#next;
    if (box.open && due && globalThis.RTCPeerConnection) await this.#showDirect();
    this.#tell();
  }

  /** A ticket for this page's own player, where the channel asks viewers for one. */
  async #admit() {
    if (this.#channel?.playback !== "signed" || this.#ticket) return;
    this.#ticket = await this.#api.playbackToken(this.#name, TICKET_SECONDS).catch(() => "");
    if (this.#ticket) this.#parts.admitted(this.#ticket);
  }

  #switch() {
    this.#wanted = !this.#wanted;
    this.#next = 0;
    if (this.#wanted) this.draw(this.#channel);
    else this.#whep?.stop();
  }

  async #showDirect() {
    const video = h("video", { className: "preview-direct", muted: true, autoplay: true, playsInline: true, controls: true, "aria-label": "Your encoder's picture" });
    const whep = new Whep(this.#name, this.#token);
    this.#trying = true;
    whep.addEventListener("end", () => this.#ended(whep));
    try {
      await whep.start(video);
    } catch (error) {
      this.#problem = error.message;
      // One that this server does not have is not asked for again.
      this.#next = error.status === 404 ? Infinity : performance.now() + backoff(this.#tries++, { first: 3_000, most: 60_000 });
      return;
    } finally {
      this.#trying = false;
    }
    if (!this.#parts.box.open || !this.#wanted) {
      whep.stop();
      return;
    }
    this.#tries = 0;
    this.#problem = "";
    this.#whep = whep;
    this.#parts.place.replaceChildren(video);
    this.#parts.box.dataset.preview = "direct";
    this.#tell();
  }

  #ended(whep) {
    if (this.#whep !== whep) return;
    this.#whep = null;
    this.#problem = whep.sentence;
    this.#next = performance.now() + backoff(this.#tries++, { first: 1_000, most: 60_000 });
    if (this.#parts.box.open) this.#showViewers();
  }

  async #showViewers() {
    await import("./embed.js");
    const { box, place } = this.#parts;
    if (!box.open || this.#whep) return;
    if (this.#channel === null || (this.#channel.playback === "signed" && !this.#ticket)) return;
    // By the anchor's own token, which makes nobody a viewer.
    const how = { muted: true, bare: true, bagless: true, "for-host": true, api: this.#api };
    place.replaceChildren(h("vitrine-player", { channel: this.#name, token: this.#ticket, class: "preview-player", ...how }));
    box.dataset.preview = "viewers";
    this.#tell();
  }

  #clear() {
    this.#whep?.stop();
    this.#whep = null;
    this.#parts.place.replaceChildren();
  }

  #tell() {
    const direct = this.#whep !== null;
    const live = this.#channel?.state === "live";
    const obstacle = obstacleOf(this.#channel?.ingest);
    const viewers = [AS_VIEWERS, this.#wanted ? obstacle || this.#problem : ""].filter(Boolean).join(" ");
    setText(this.#words, direct ? [DIRECT, this.#whep.sound ? "" : SILENT].filter(Boolean).join(" ") : viewers);
    setText(this.#toggle, this.#wanted ? "Show what viewers see" : "Show without delay");
    this.#toggle.hidden = !live || obstacle !== "";
    this.#parts.note.hidden = !live;
  }
}

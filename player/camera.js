/** "Go live from this device": a camera, a button, and what comes of it in words and figures. */

import { Api, urls } from "./api.js";
import { Capture } from "./capture.js";
import { h, icon, setIconButton, setText } from "./dom.js";
import { Level } from "./level.js";
import { Air, failureOf, isOn, wordsOf } from "./onair.js";
import { look, outgoing, rows } from "./outgoing.js";
import { clock } from "./tiles.js";
import { askKey, forgetKey, heldKey } from "./token.js";
import { Whip } from "./whip.js";

const find = (id) => document.getElementById(id);
const name = document.body.dataset.channel;
const STATE_OF = { [Air.LIVE]: "live", [Air.CONNECTING]: "interrupted", [Air.RECONNECTING]: "interrupted" };

class CameraPage {
  #capture = new Capture();
  #level = new Level(find("level"));
  #whip;
  #air = Air.ASKING;
  #sentence = "";
  #seen = null;
  #wake = null;
  #viewers = null;

  constructor(key) {
    this.#take(key);
    this.#capture.addEventListener("change", ({ detail }) => this.#changed(detail));
    this.#capture.addEventListener("ended", ({ detail }) => this.#trackEnded(detail));
    find("go").addEventListener("click", () => this.#toggle());
    find("again").addEventListener("click", () => this.open());
    find("mute").addEventListener("click", () => this.#mute());
    find("flip").addEventListener("click", () => this.#try(() => this.#capture.flip()));
    find("screen").addEventListener("click", () => this.#try(() => (this.#capture.sharing ? this.#capture.unshare() : this.#capture.share())));
    find("cameras").addEventListener("change", ({ target }) => this.#try(() => this.#capture.chooseCamera(target.value)));
    find("microphones").addEventListener("change", ({ target }) => this.#try(() => this.#capture.chooseMicrophone(target.value)));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#drawDevices());
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    addEventListener("beforeunload", (event) => isOn(this.#air) && event.preventDefault());
    addEventListener("pagehide", () => isOn(this.#air) && this.#whip.stop());
    setInterval(() => this.#measure(), 1_000);
    setInterval(() => this.#count(), 5_000);
  }

  /** Ask for camera and microphone, and show them. */
  async open() {
    find("desk").hidden = false;
    this.#set(Air.ASKING);
    try {
      await this.#capture.open();
      this.#set(Air.READY);
    } catch (error) {
      this.#fail(error);
    }
    await this.#drawDevices();
  }

  #take(key) {
    const whip = new Whip(name, key);
    this.#whip = whip;
    whip.addEventListener("change", () => whip === this.#whip && this.#set(whip.air, whip.sentence));
    whip.addEventListener("key", ({ detail }) => this.#askAgain(detail));
  }

  async #askAgain(sentence) {
    forgetKey(name);
    find("desk").hidden = true;
    setText(find("state"), "Locked");
    this.#take(await askKey(name, find("gate"), sentence));
    find("desk").hidden = false;
    this.#set(Air.READY);
  }

  async #toggle() {
    if (isOn(this.#air)) await this.#whip.stop();
    else await this.#whip.start(this.#capture.stream);
    this.#stayAwake();
  }

  #changed(track) {
    if (track.kind === "video") {
      const preview = find("preview");
      preview.srcObject = this.#capture.stream;
      preview.play().catch(() => undefined);
    } else this.#level.listen(track);
    if (isOn(this.#air)) this.#whip.replace(track);
    else if (this.#air === Air.BLIND) this.#set(Air.READY);
    this.#draw();
    this.#drawDevices();
  }

  async #trackEnded(kind) {
    if (kind === "video" && this.#capture.sharing) await this.#try(() => this.#capture.unshare());
    else if (kind === "video") await this.open();
  }

  #mute() {
    const { audio } = this.#capture;
    if (audio) audio.enabled = !audio.enabled;
    this.#draw();
  }

  /** A choice that fails leaves everything as it was, and says why. */
  async #try(work) {
    try {
      await work();
      this.#sentence = "";
    } catch (error) {
      // Closing the browser's own dialog is an answer, not a failure.
      const shut = error.name === "NotAllowedError" && this.#capture.video?.readyState === "live";
      if (!shut && this.#capture.video?.readyState !== "live") this.#fail(error);
      else if (!shut) this.#sentence = failureOf(error).join(". ");
    }
    this.#draw();
    await this.#drawDevices();
  }

  #fail(error) {
    const [heading, advice] = failureOf(error, isSecureContext);
    setText(find("heading"), heading);
    setText(find("advice"), advice);
    find("again").hidden = !isSecureContext;
    if (!isOn(this.#air)) this.#set(Air.BLIND);
  }

  #set(air, sentence = "") {
    this.#air = air;
    this.#sentence = sentence;
    if (!isOn(air)) this.#seen = null;
    this.#draw();
  }

  #draw() {
    const [word, said] = wordsOf(this.#air);
    const on = isOn(this.#air);
    const { video, audio, sharing, mirrored } = this.#capture;
    const blind = video?.readyState !== "live";
    setText(find("state"), word);
    find("state").dataset.state = STATE_OF[this.#air] ?? "offline";
    setText(find("word"), this.#sentence || said);
    find("word").dataset.air = this.#sentence && !on ? "trouble" : this.#air;
    find("go").disabled = blind && !on;
    find("go").dataset.on = String(on);
    setText(find("go"), on ? "Stop" : "Go live");
    find("badge").hidden = this.#air !== Air.LIVE;
    find("preview").dataset.mirrored = String(mirrored);
    find("empty").hidden = !blind;
    if (this.#air === Air.ASKING) {
      setText(find("heading"), word);
      setText(find("advice"), said);
      find("again").hidden = true;
    }
    const muted = audio !== null && !audio.enabled;
    find("mute").disabled = audio === null;
    find("mute").setAttribute("aria-pressed", String(muted));
    setIconButton(find("mute"), muted ? "micOff" : "mic", muted ? "Unmute" : "Mute");
    setIconButton(find("flip"), "flip", "Other camera");
    find("screen").hidden = !Capture.canShare;
    find("screen").setAttribute("aria-pressed", String(sharing));
    setIconButton(find("screen"), "screen", sharing ? "Show the camera" : "Share a screen");
    this.#level.mute(muted || audio === null);
    if (!on) this.#figures([]);
  }

  async #drawDevices() {
    const { cameras, microphones } = await this.#capture.devices();
    fill(find("cameras"), cameras, this.#capture.sharing ? null : this.#capture.video, this.#capture.sharing ? "The screen" : "No camera");
    fill(find("microphones"), microphones, this.#capture.audio, "No microphone");
    find("flip").disabled = cameras.length < 2 || this.#capture.sharing;
  }

  async #measure() {
    if (this.#whip.since) setText(find("since"), clock(Date.now() - this.#whip.since));
    if (!isOn(this.#air)) return;
    const report = await this.#whip.getStats();
    if (!report) return;
    const now = look(report, performance.now());
    const figures = this.#seen && outgoing(this.#seen, now);
    this.#seen = now;
    if (figures) this.#figures(rows(figures));
  }

  async #count() {
    if (!isOn(this.#air) || document.hidden) return;
    this.#viewers = await new Api()
      .channel(name)
      .then(({ viewers }) => viewers)
      .catch(() => null);
  }

  #figures(found) {
    const watching = Number.isInteger(this.#viewers) && isOn(this.#air) ? [["Watching", String(this.#viewers)]] : [];
    const all = [...found, ...watching];
    const rowsOf = all.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)));
    find("readings").replaceChildren(...(rowsOf.length ? rowsOf : [h("div", { className: "hint" }, "Figures appear here once you are on the air.")]));
    const glance = found.filter(([term]) => ["Bitrate", "Frame rate", "Picture"].includes(term)).map(([, value]) => value);
    find("glance").hidden = glance.length === 0;
    setText(find("glance"), glance.join(" \u00b7 "));
  }

  /** A phone that goes to sleep takes its camera with it. */
  async #stayAwake() {
    if (!isOn(this.#air)) {
      await this.#wake?.release().catch(() => undefined);
      this.#wake = null;
    } else if (!document.hidden) {
      this.#wake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    }
  }
}

function fill(list, devices, track, none) {
  const { deviceId } = track?.getSettings() ?? {};
  const options = devices.map(({ id, label }) => h("option", { value: id, selected: id === deviceId }, label));
  const empty = !track || devices.length === 0;
  list.replaceChildren(...(empty ? [h("option", { value: "", selected: true }, none)] : []), ...options);
  list.disabled = devices.length === 0;
}

find("watch").href = urls.watch(name);
find("watch").append(" ", icon("out"));
await new CameraPage(heldKey(name) ?? (await askKey(name, find("gate")))).open();

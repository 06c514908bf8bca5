/** This device's camera, microphone and screen as one stream, whose parts can be changed. */

import { recall, remember } from "./dom.js";

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: { ideal: 2 } };
const KEPT = { video: "vitrine.camera", audio: "vitrine.microphone" };

/** Events: `change`, when a track is another; `ended`, when a track stopped by itself. */
export class Capture extends EventTarget {
  stream = new MediaStream();
  sharing = false;

  get video() {
    return this.stream.getVideoTracks()[0] ?? null;
  }

  get audio() {
    return this.stream.getAudioTracks()[0] ?? null;
  }

  /** The picture is the anchor's own face: shown as in a mirror. */
  get mirrored() {
    return !this.sharing && this.video !== null && this.video.getSettings().facingMode !== "environment";
  }

  static get canShare() {
    return Boolean(navigator.mediaDevices?.getDisplayMedia);
  }

  /** Open what was chosen last, else what the system offers. Throws getUserMedia's errors. */
  async open() {
    if (!navigator.mediaDevices?.getUserMedia) throw Object.assign(new Error("no getUserMedia"), { name: "OldBrowser" });
    const video = { ...PICTURE, ...chosen(recall(KEPT.video)), facingMode: { ideal: "user" } };
    const audio = { ...SOUND, ...chosen(recall(KEPT.audio)) };
    let given;
    try {
      given = await navigator.mediaDevices.getUserMedia({ video, audio });
    } catch (error) {
      if (error.name !== "NotFoundError") throw error;
      // A device without a microphone can still show; one without a camera cannot.
      given = await navigator.mediaDevices.getUserMedia({ video });
    }
    for (const track of given.getTracks()) this.#use(track);
  }

  /** List cameras and microphones; they have names once one is open. */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const of = (kind, word) =>
      all.filter((each) => each.kind === kind && each.deviceId).map(({ deviceId, label }, n) => ({ id: deviceId, label: label || `${word} ${n + 1}` }));
    return { cameras: of("videoinput", "Camera"), microphones: of("audioinput", "Microphone") };
  }

  async chooseCamera(id) {
    await this.#camera({ deviceId: { exact: id } });
    remember(KEPT.video, id);
  }

  async chooseMicrophone(id) {
    const { audio } = this;
    const muted = audio ? !audio.enabled : false;
    const given = await navigator.mediaDevices.getUserMedia({ audio: { ...SOUND, deviceId: { exact: id } } });
    const [track] = given.getAudioTracks();
    track.enabled = !muted;
    remember(KEPT.audio, id);
    this.#use(track);
  }

  /** Take the camera on the other side; where sides are unknown, the next one. */
  async flip() {
    const { facingMode, deviceId } = this.video?.getSettings() ?? {};
    if (facingMode && !this.sharing) {
      await this.#camera({ facingMode: { exact: facingMode === "environment" ? "user" : "environment" } });
      remember(KEPT.video, this.video.getSettings().deviceId ?? null);
      return;
    }
    const { cameras } = await this.devices();
    const next = cameras[(cameras.findIndex(({ id }) => id === deviceId) + 1) % cameras.length];
    if (next) await this.chooseCamera(next.id);
  }

  /** Send a screen or window in the camera's place. */
  async share() {
    const given = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30, max: 30 } }, audio: false });
    this.sharing = true;
    this.#use(given.getVideoTracks()[0]);
  }

  /** Show the camera again. */
  async unshare() {
    await this.#camera(chosen(recall(KEPT.video)));
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
  }

  async #camera(wanted) {
    const before = this.video;
    const kept = before?.getSettings().deviceId;
    const was = this.sharing;
    // Phones open one camera at a time: the one in use is let go first.
    if (before && !was) before.stop();
    try {
      const given = await navigator.mediaDevices.getUserMedia({ video: { ...PICTURE, ...wanted } });
      this.sharing = false;
      this.#use(given.getVideoTracks()[0]);
    } catch (error) {
      if (!was && kept) {
        const again = await navigator.mediaDevices.getUserMedia({ video: { ...PICTURE, deviceId: { exact: kept } } });
        this.#use(again.getVideoTracks()[0]);
      }
      throw error;
    }
  }

  #use(track) {
    for (const old of this.stream.getTracks().filter(({ kind }) => kind === track.kind)) {
      this.stream.removeTrack(old);
      old.stop();
    }
    if (track.kind === "video") track.contentHint = this.sharing ? "detail" : "motion";
    track.addEventListener("ended", () => this.stream.getTracks().includes(track) && this.dispatchEvent(new CustomEvent("ended", { detail: track.kind })));
    this.stream.addTrack(track);
    this.dispatchEvent(new CustomEvent("change", { detail: track }));
  }
}

const chosen = (id) => (id ? { deviceId: { ideal: id } } : {});

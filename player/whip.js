/** A WHIP client (RFC 9725) that stays on the air: it begins anew by itself when a line drops. */

import { Api, ApiError, urls } from "./api.js";
import { backoff } from "./backoff.js";
import { afterRefusal, Air } from "./onair.js";
import { preferred, withStart } from "./sdp.js";
import { bye, DEADLINE_MS, gathered, post } from "./signalling.js";

const GATHER_MS = 1_500;
const CONNECT_MS = 12_000;
/** A line that is "disconnected" often comes back by itself. */
const PATIENCE_MS = 4_000;
const START_KBITS = 1_200;
const MAX_KBITS = { camera: 2_800, screen: 2_800, audio: 128 };

const UDP_BLOCKED = "The server was reached, but no media gets through: UDP may be blocked on the way.";

/** Events: `change`, whenever `air` or `sentence` did; `key`, when the stream key is refused. */
export class Whip extends EventTarget {
  #channel;
  #key;
  #stream = null;
  #connection = null;
  #resource = null;
  #iceServers = [];
  #tries = 0;
  #timer = 0;
  /** Counts connections, so that news of an old one changes nothing. */
  #turn = 0;
  air = Air.READY;
  sentence = "";
  /** When the show went on the air, in ms; null before. */
  since = null;

  constructor(channel, key) {
    super();
    this.#channel = channel;
    this.#key = key;
  }

  /** Go on the air with a stream's tracks, and stay there until `stop`. */
  start(stream) {
    this.#stream = stream;
    this.#tries = 0;
    this.#tell(Air.CONNECTING);
    return this.#connect();
  }

  /** Send another track of this kind from now on. */
  async replace(track) {
    const sender = this.#connection?.getSenders().find((each) => each.track?.kind === track.kind);
    await sender?.replaceTrack(track);
    if (sender) await limit(sender, track);
  }

  /** Say goodbye and end. `sentence`: why, where it was not asked for. */
  async stop(sentence = "") {
    const [resource, connection] = [this.#resource, this.#connection];
    this.since = null;
    this.#forget();
    this.#tell(Air.ENDED, sentence);
    // Said before the line is cut: the server tells a goodbye from a loss.
    if (resource) await bye(resource, this.#key);
    connection?.close();
  }

  getStats() {
    return this.#connection?.getStats() ?? null;
  }

  #drop() {
    this.#connection?.close();
    this.#forget();
  }

  #forget() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#connection = null;
    this.#resource = null;
  }

  async #connect() {
    this.#drop();
    const turn = this.#turn;
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: this.#iceServers });
    this.#connection = connection;
    connection.addEventListener("connectionstatechange", () => turn === this.#turn && this.#changed(connection));
    this.#timer = setTimeout(() => turn === this.#turn && this.#again(this.#resource ? UDP_BLOCKED : ""), DEADLINE_MS + CONNECT_MS);
    try {
      for (const track of this.#stream.getTracks()) await add(connection, track, this.#stream);
      await connection.setLocalDescription();
      await gathered(connection, GATHER_MS);
      if (turn !== this.#turn) return;
      const { resource, answer, iceServers } = await post(urls.whip(this.#channel), this.#key, connection.localDescription.sdp);
      this.#iceServers = iceServers;
      if (turn !== this.#turn) {
        await bye(resource, this.#key);
        return;
      }
      this.#resource = resource;
      await connection.setRemoteDescription({ type: "answer", sdp: withStart(answer, START_KBITS) });
      // A transport that the server closed is no state of the connection's own.
      const transport = connection.getSenders()[0]?.transport;
      transport?.addEventListener("statechange", () => turn === this.#turn && transport.state === "closed" && this.#lost(connection));
    } catch (error) {
      if (turn === this.#turn) this.#refused(error);
    }
  }

  #refused(error) {
    if (!(error instanceof ApiError)) {
      this.#giveUp(`The browser could not make the connection: ${error.message}`);
      return;
    }
    const { wait, key, sentence } = afterRefusal(error, backoff(this.#tries));
    if (wait === null) {
      this.#giveUp(sentence);
      if (key) this.dispatchEvent(new CustomEvent("key", { detail: sentence }));
    } else this.#again(sentence, wait);
  }

  #changed(connection) {
    const state = connection.connectionState;
    if (state !== "connecting") clearTimeout(this.#timer);
    if (state === "connected") {
      this.#tries = 0;
      this.since ??= Date.now();
      this.#tell(Air.LIVE);
    } else if (state === "disconnected") {
      this.#timer = setTimeout(() => this.#again(), PATIENCE_MS);
      this.#tell(Air.RECONNECTING);
    } else if (state === "failed" || state === "closed") this.#lost(connection);
  }

  /**
   * A line that broke is taken up again. One that the server closed in good health is not:
   * somebody ended the show, or another encoder took it over and would be thrown out in turn.
   */
  async #lost(connection) {
    clearTimeout(this.#timer);
    this.#turn += 1;
    const turn = this.#turn;
    const closed = connection.getSenders().some(({ transport }) => transport?.state === "closed");
    if (closed && (await isReady())) {
      const { state } = await new Api().channel(this.#channel).catch(() => ({ state: "" }));
      if (turn !== this.#turn) return;
      this.#giveUp(state === "live" ? "Another encoder took over this channel." : "The show was ended from elsewhere.");
    } else if (turn === this.#turn) this.#again();
  }

  #again(sentence = "", wait = backoff(this.#tries)) {
    this.#drop();
    this.#tries += 1;
    const turn = this.#turn;
    this.#tell(Air.RECONNECTING, sentence);
    this.#timer = setTimeout(() => turn === this.#turn && this.#connect(), wait);
  }

  #giveUp(sentence) {
    this.#drop();
    this.since = null;
    this.#tell(Air.ENDED, sentence);
  }

  #tell(air, sentence = "") {
    this.air = air;
    this.sentence = sentence;
    this.dispatchEvent(new Event("change"));
  }
}

async function add(connection, track, stream) {
  const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [stream] });
  if (track.kind === "video") prefer(transceiver);
  await limit(transceiver.sender, track);
}

function prefer(transceiver) {
  for (const of of [RTCRtpSender, RTCRtpReceiver]) {
    const codecs = preferred(of.getCapabilities?.("video")?.codecs ?? []);
    try {
      if (codecs.length) transceiver.setCodecPreferences(codecs);
      return;
    } catch {
      // Browsers differ in whose capabilities they take.
    }
  }
}

/** A size that changes is a seam in the show: rather fewer pictures than smaller ones. */
async function limit(sender, track) {
  const parameters = sender.getParameters();
  const kind = track.kind === "audio" ? "audio" : track.getSettings().displaySurface ? "screen" : "camera";
  if (track.kind === "video") parameters.degradationPreference = "maintain-resolution";
  for (const encoding of parameters.encodings ?? []) encoding.maxBitrate = MAX_KBITS[kind] * 1000;
  // A browser that does not know them goes on without.
  await sender.setParameters(parameters).catch(() => undefined);
}

async function isReady() {
  try {
    return (await fetch(urls.ready(), { signal: AbortSignal.timeout(DEADLINE_MS) })).ok;
  } catch {
    return false;
  }
}

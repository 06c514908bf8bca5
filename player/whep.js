/** A WHEP client: the publisher's own picture, under half a second behind, for who runs the channel. */

import { urls } from "./api.js";
import { bye, DEADLINE_MS, gathered, post } from "./signalling.js";

const GATHER_MS = 1_000;
/** From the answer to the first picture; UDP may be blocked on the way. */
const PICTURE_MS = 8_000;
const PATIENCE_MS = 4_000;

const UDP_BLOCKED = "No media gets through: UDP may be blocked on the way.";

/** Event: `end`, once, when nothing more comes; `sentence` says why. */
export class Whep extends EventTarget {
  /** Whether the publisher's sound comes along. */
  sound = false;
  sentence = "";
  #channel;
  #token;
  #connection = null;
  #resource = null;
  #iceServers = [];

  constructor(channel, token) {
    super();
    this.#channel = channel;
    this.#token = token;
  }

  /** Show it in `video`; resolves with the first picture. Throws ApiError, Error. */
  async start(video) {
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: this.#iceServers });
    this.#connection = connection;
    const stream = new MediaStream();
    for (const kind of ["video", "audio"]) connection.addTransceiver(kind, { direction: "recvonly" });
    connection.addEventListener("track", ({ track, receiver }) => {
      // The preview is for seeing now: as little is kept back as the network allows.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      stream.addTrack(track);
    });
    connection.addEventListener("connectionstatechange", () => this.#changed(connection));
    video.srcObject = stream;
    try {
      const shown = this.#firstPicture(video);
      await connection.setLocalDescription();
      await gathered(connection, GATHER_MS);
      await this.#ask(connection);
      // A transport that the server closed is no state of the connection's own.
      const transport = connection.getReceivers()[0]?.transport;
      transport?.addEventListener("statechange", () => isClosed(connection) && this.stop("The broadcast ended.", true));
      await shown;
    } catch (error) {
      this.stop(error.message);
      throw error;
    }
  }

  /** End it. Safe to call again. `told`: the server ended it, and knows. */
  stop(sentence = "", told = false) {
    const [connection, resource] = [this.#connection, this.#resource];
    if (!connection) return;
    this.#connection = null;
    this.sentence = sentence;
    // Said before the line is cut, while the server still knows the session.
    const said = resource && !told ? bye(resource, this.#token) : Promise.resolve();
    said.then(() => connection.close());
    this.dispatchEvent(new Event("end"));
  }

  /** Resolve with the first picture; reject when it is late, or the whole thing ends before. */
  #firstPicture(video) {
    const shown = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(UDP_BLOCKED)), DEADLINE_MS + PICTURE_MS);
      const after = (act) => () => {
        clearTimeout(timer);
        act();
      };
      video.addEventListener("loadeddata", after(resolve), { once: true });
      this.addEventListener("end", after(() => reject(new Error(this.sentence))), { once: true });
    });
    // Where the offer is refused, that is what is told.
    shown.catch(() => undefined);
    return shown;
  }

  /** A line that is "disconnected" often comes back by itself. */
  #changed(connection) {
    const lost = (...states) => this.#connection === connection && states.includes(connection.connectionState);
    const end = () => this.stop("The preview's connection ended.", isClosed(connection));
    if (lost("failed", "closed")) end();
    else if (lost("disconnected")) setTimeout(() => lost("disconnected") && end(), PATIENCE_MS);
  }

  async #ask(connection) {
    const { resource, answer, iceServers, headers } = await post(urls.whep(this.#channel), this.#token, connection.localDescription.sdp);
    this.#resource = resource;
    this.#iceServers = iceServers;
    this.sound = headers.get("X-Vitrine-Sound") === "opus";
    if (this.#connection === connection) await connection.setRemoteDescription({ type: "answer", sdp: answer });
    else bye(this.#resource, this.#token);
  }
}

const isClosed = (connection) => connection.getReceivers().some(({ transport }) => transport?.state === "closed");

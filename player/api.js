/**
 * The one place that knows the server's URLs.
 *
 * Everything is relative to the server this module came from, so that the player also works
 * on a page of another site.
 */

import { EventStream } from "./event_stream.js";

const BASE = new URL("../", import.meta.url);
const DEADLINE_MS = 10_000;

/** Say what the server refused: an RFC 9457 problem, or a network failure (status 0). */
export class ApiError extends Error {
  constructor(status, problem, retryAfter = null) {
    super(problem?.detail || problem?.title || (status ? `HTTP ${status}` : "No connection"));
    this.name = "ApiError";
    this.status = status;
    this.problem = problem ?? {};
    this.retryAfter = retryAfter;
  }
}

const part = encodeURIComponent;
const ticket = (token) => (token ? `~${part(token)}/` : "");

export const urls = {
  /** `token`: of a channel that asks for one; in the path, since relative addresses inherit it. */
  hls: (channel, token = "") => new URL(`live/${part(channel)}/${ticket(token)}index.m3u8`, BASE).href,
  /** The picture of a show that is on; `turn`: another one, another address. */
  livePoster: (channel, turn) => new URL(`live/${part(channel)}/poster.jpg?turn=${turn}`, BASE).href,
  ofReplay: (channel, session, path = "", token = "") => new URL(`replay/${part(channel)}/${ticket(token)}${part(session)}/${path}`, BASE).href,
  /** The page of a recording. */
  replay: (channel, session, token = "") => urls.ofReplay(channel, session, token ? `?token=${part(token)}` : ""),
  watch: (channel, token = "") => new URL(`watch/${part(channel)}${token ? `?token=${part(token)}` : ""}`, BASE).href,
  studio: (channel) => new URL(`studio/${part(channel)}`, BASE).href,
  embed: (channel) => new URL(`embed/${part(channel)}`, BASE).href,
  whep: (channel) => new URL(`whep/${part(channel)}`, BASE).href,
  whip: (channel) => new URL(`whip/${part(channel)}`, BASE).href,
  camera: (channel) => new URL(`studio/${part(channel)}/camera`, BASE).href,
  ready: () => new URL("readyz", BASE).href,
  channels: () => new URL("api/v1/channels", BASE).href,
  channel: (channel) => new URL(`api/v1/channels/${part(channel)}`, BASE).href,
  of: (channel, path) => new URL(`api/v1/channels/${part(channel)}/${path}`, BASE).href,
  file: (name) => new URL(`player/${name}`, BASE).href,
  vendor: (name) => new URL(`player/vendor/${name}`, BASE).href,
};

/** Resolve a picture's address as the server gave it; null when it is not http(s). */
export function pictureUrl(value) {
  return webUrl(value, BASE);
}

/** Accept only http and https addresses: a link comes from a feed, not from us. */
export function webUrl(value, base = BASE) {
  if (typeof value !== "string" || value === "") return null;
  try {
    const url = new URL(value, base);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Make an Idempotency-Key. `crypto.randomUUID` is not there on plain HTTP, as in a shop's LAN. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Calls of one token (or none, for viewers). */
export class Api {
  #token;

  constructor(token = null) {
    this.#token = token;
  }

  channel(channel) {
    return this.#json("GET", urls.channel(channel));
  }

  channels() {
    return this.#pages(urls.channels());
  }

  products(channel) {
    return this.#pages(urls.of(channel, "products"));
  }

  pins(channel) {
    return this.#pages(urls.of(channel, "pins"));
  }

  /**
   * Ask for the timeline snapshot. With the ETag of the last one, answers
   * `{body: null, etag}` when nothing changed.
   */
  async timeline(channel, etag = null) {
    const headers = etag ? { "If-None-Match": etag } : {};
    const response = await this.#send("GET", urls.of(channel, "timeline"), undefined, headers);
    const body = response.status === 304 ? null : await content(response);
    return { body, etag: response.headers.get("ETag") };
  }

  /** Read the timeline of a show that is over; it does not change. */
  async replayTimeline(channel, session, token = "") {
    return this.#json("GET", urls.ofReplay(channel, session, "timeline.json", token));
  }

  /** Read one session: its times, whether its pictures are made. */
  session(channel, session) {
    return this.#json("GET", urls.of(channel, `sessions/${part(session)}`));
  }

  /** The newest sessions of a channel, at most `most`. */
  async sessions(channel, most = 20) {
    const url = new URL(urls.of(channel, "sessions"));
    url.searchParams.set("limit", String(most));
    return (await this.#json("GET", url.href)).items ?? [];
  }

  /** Give the channel another title; answers it as the server has it. */
  async rename(channel, title) {
    return (await this.#json("PATCH", urls.channel(channel), { title })).title;
  }

  /** End the broadcast for good, and keep its encoder from coming back by itself. */
  stop(channel) {
    return this.#json("POST", urls.of(channel, "stop"));
  }

  pin(channel, productId, idempotencyKey) {
    const body = { product_id: productId, anchor: "now" };
    return this.#json("POST", urls.of(channel, "pins"), body, { "Idempotency-Key": idempotencyKey });
  }

  unpin(channel, pinId) {
    return this.#json("DELETE", urls.of(channel, `pins/${part(pinId)}`));
  }

  /** Make a playback token; for who runs the channel. */
  async playbackToken(channel, seconds) {
    const { token } = await this.#json("POST", urls.of(channel, "playback/tokens"), { seconds });
    return token;
  }

  /**
   * Follow the channel's events, from behind event `after` where that is known. With a token also
   * those of kind `health`, for who runs the channel.
   */
  events(channel, after = null) {
    const url = new URL(urls.of(channel, "events"));
    if (after !== null) url.searchParams.set("after", after);
    return this.#token ? new EventStream(url, this.#token) : new EventSource(url);
  }

  /** Follow `?after=&limit=` to the end; bounded, a shop window is not a warehouse. */
  async #pages(url, most = 1000) {
    const found = [];
    let after = null;
    do {
      const page = new URL(url);
      page.searchParams.set("limit", "100");
      if (after !== null) page.searchParams.set("after", after);
      const body = await this.#json("GET", page.href);
      const items = Array.isArray(body) ? body : (body.items ?? []);
      found.push(...items);
      after = Array.isArray(body) || items.length === 0 ? null : (body.next ?? null);
    } while (after !== null && found.length < most);
    return found;
  }

  async #json(method, url, body, headers = {}) {
    const response = await this.#send(method, url, body, headers);
    return response.status === 204 ? null : content(response);
  }

  async #send(method, url, body, headers = {}) {
    const all = { Accept: "application/json", ...headers };
    if (body !== undefined) all["Content-Type"] = "application/json";
    if (this.#token) all.Authorization = `Bearer ${this.#token}`;
    let response;
    try {
      response = await fetch(url, {
        method,
        headers: all,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
    } catch {
      throw unreachable();
    }
    if (response.ok || response.status === 304) return response;
    const problem = await response.json().catch(() => null);
    throw new ApiError(response.status, problem, Number(response.headers.get("Retry-After")) || null);
  }
}

/** Read an answer's JSON: a line that breaks in the middle of it is no other trouble than no line. */
async function content(response) {
  try {
    return await response.json();
  } catch {
    throw unreachable();
  }
}

const unreachable = () => new ApiError(0, { title: "The server cannot be reached." });

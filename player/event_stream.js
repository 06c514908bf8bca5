/**
 * Server-sent events with a token: EventSource sends no headers (HTML Living Standard 9.2).
 *
 * As much of EventSource as the feed uses. It does not reconnect by itself: an end is told as
 * `error` with `readyState` CLOSED, and whoever listens opens another.
 */

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;
/** The server says something every few seconds; after so long the line is dead. */
const SILENCE_MS = 20_000;
/** Characters of one event; the server's are far smaller. */
const MOST = 1 << 20;

/** Cut a stream of text into events (9.2.6), however it is split. Give what each piece completes. */
export class EventParser {
  #rest = "";

  /** Give the events, `{kind, data}`, that `text` completes. Throws RangeError for an endless one. */
  push(text) {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop();
    if (this.#rest.length > MOST) throw new RangeError("an event without an end");
    return blocks.map(parse).filter((event) => event !== null);
  }
}

function parse(block) {
  let kind = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === "event") kind = value;
    else if (name === "data") data.push(value);
  }
  return data.length ? { kind, data: data.join("\n") } : null;
}

export class EventStream extends EventTarget {
  readyState = CONNECTING;
  #abort = new AbortController();
  #alarm = 0;

  constructor(url, token) {
    super();
    this.#run(url, token);
  }

  close() {
    this.readyState = CLOSED;
    clearTimeout(this.#alarm);
    this.#abort.abort();
  }

  async #run(url, token) {
    try {
      this.#listenFor();
      const headers = { Accept: "text/event-stream", Authorization: `Bearer ${token}` };
      const response = await fetch(url, { headers, cache: "no-store", signal: this.#abort.signal });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.readyState = OPEN;
      this.dispatchEvent(new Event("open"));
      await this.#read(response.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch {
      // Told below like an end: a line that is gone is gone.
    }
    if (this.readyState === CLOSED) return;
    this.close();
    this.dispatchEvent(new Event("error"));
  }

  async #read(reader) {
    const parser = new EventParser();
    for (;;) {
      this.#listenFor();
      const { value, done } = await reader.read();
      if (done || this.readyState === CLOSED) return;
      for (const { kind, data } of parser.push(value)) this.dispatchEvent(new MessageEvent(kind, { data }));
    }
  }

  #listenFor() {
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(() => this.#abort.abort(), SILENCE_MS);
  }
}

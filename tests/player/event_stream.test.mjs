import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { EventParser, EventStream } from "../../player/event_stream.js";

const { fetch } = globalThis;
const TEXT = 'retry: 2000\nevent: viewers\ndata: {"count":1}\n\n: still here\n\nid: 7\nevent: health\ndata: {"warnings":[]}\n\ndata: a\ndata: b\n\n';
const EVENTS = [
  { kind: "viewers", data: '{"count":1}' },
  { kind: "health", data: '{"warnings":[]}' },
  { kind: "message", data: "a\nb" },
];

afterEach(() => {
  globalThis.fetch = fetch;
});

/** Wait for an event of a target. */
const once = (target, kind) => new Promise((resolve) => target.addEventListener(kind, resolve, { once: true }));

test("events are the same however the text is split", () => {
  assert.deepEqual(new EventParser().push(TEXT), EVENTS);
  const parser = new EventParser();
  assert.deepEqual([...TEXT].flatMap((letter) => parser.push(letter)), EVENTS);
  assert.deepEqual(new EventParser().push(`${TEXT}event: half\ndata: 1`), EVENTS);
});

test("an event without an end is no event", () => {
  const parser = new EventParser();
  assert.throws(() => parser.push("x".repeat(2 << 20)), RangeError);
});

test("the token goes along, events come, an end is told", async () => {
  let asked;
  let body;
  globalThis.fetch = (url, options) => {
    asked = { url, ...options };
    const stream = new ReadableStream({ start: (controller) => (body = controller) });
    return Promise.resolve(new Response(stream, { status: 200 }));
  };
  const source = new EventStream("https://x.example/events", "secret");
  assert.equal(source.readyState, 0);
  await once(source, "open");
  assert.equal(source.readyState, 1);
  assert.equal(asked.headers.Authorization, "Bearer secret");
  const coming = once(source, "health");
  body.enqueue(new TextEncoder().encode(TEXT));
  assert.equal((await coming).data, '{"warnings":[]}');
  const failing = once(source, "error");
  body.close();
  await failing;
  assert.equal(source.readyState, 2);
});

test("a refusal is told as an end", async () => {
  globalThis.fetch = () => Promise.resolve(new Response("", { status: 401 }));
  const source = new EventStream("https://x.example/events", "old");
  await once(source, "error");
  assert.equal(source.readyState, 2);
});

test("who closes it hears nothing more", async () => {
  let signal;
  globalThis.fetch = (_, options) => {
    signal = options.signal;
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  };
  const source = new EventStream("https://x.example/events", "t");
  source.addEventListener("error", () => assert.fail("told of its own closing"));
  source.close();
  assert.ok(signal.aborted);
  await new Promise((resolve) => setImmediate(resolve));
});

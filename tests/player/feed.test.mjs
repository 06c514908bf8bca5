import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { ApiError } from "../../player/api.js";
import { Feed } from "../../player/feed.js";

const START = "2026-01-01T12:00:00.000Z";
const pin = (id, end = null) => ({ id, product_id: "tea", revision: 1, slot: 0, start: START, end, rect: null });
const settle = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

class Source extends EventTarget {
  readyState = 1;

  close() {
    this.readyState = 2;
  }

  say(kind, data) {
    this.dispatchEvent(Object.assign(new Event(kind), { data: JSON.stringify(data) }));
  }
}

/** A server of one channel, as the feed asks it. */
class Server {
  channelJson = { id: "demo", state: "live", session: "s1", viewers: 1 };
  productsJson = [{ id: "tea", title: "Tea" }];
  timelineJson = { session: "s1", seq: 1, cursor: 40, intervals: [pin("a")] };
  asked = [];
  sources = [];
  broken = null;

  #answer(name, json) {
    this.asked.push(name);
    return this.broken ? Promise.reject(this.broken) : Promise.resolve(structuredClone(json));
  }

  channel() {
    return this.#answer("channel", this.channelJson);
  }

  products() {
    return this.#answer("products", this.productsJson);
  }

  timeline() {
    return this.#answer("timeline", { body: this.timelineJson, etag: '"x"' });
  }

  events(_, after) {
    this.sources.push(Object.assign(new Source(), { after }));
    return this.sources.at(-1);
  }
}

let server;
let feed;

beforeEach(async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  server = new Server();
  feed = new Feed("demo", server);
  await feed.start();
  server.asked.length = 0;
});

afterEach(() => {
  feed.stop();
  mock.timers.reset();
});

test("whether the channel has ever been on the air is known, recorded or not", async () => {
  assert.equal(feed.hadShow, true);
  server.timelineJson = { session: null, seq: 0, cursor: 0, intervals: [] };
  const fresh = new Feed("demo", server);
  await fresh.start();
  assert.equal(fresh.hadShow, false);
  fresh.stop();
});

test("events are followed from behind the snapshot", () => {
  assert.equal(server.sources[0].after, 40);
  assert.equal(feed.state, "live");
  assert.deepEqual([...feed.products.keys()], ["tea"]);
});

test("changed intervals are in force at once and nothing is asked again", async () => {
  server.sources[0].say("timeline", { session: "s1", seq: 2, intervals: [pin("a", "2026-01-01T12:00:05.000Z"), pin("b")] });
  await settle();
  assert.deepEqual(feed.timeline.intervals.map(({ id, end }) => [id, end === Infinity]), [["a", false], ["b", true]]);
  assert.deepEqual(server.asked, []);
});

test("another session's intervals need the snapshot", async () => {
  server.timelineJson = { session: "s2", seq: 9, cursor: 50, intervals: [pin("z")] };
  server.sources[0].say("timeline", { session: "s2", seq: 9, intervals: [pin("z")] });
  await settle();
  assert.deepEqual(server.asked, ["timeline"]);
  assert.deepEqual(feed.timeline.intervals.map(({ id }) => id), ["z"]);
});

test("products change, go and are counted without loading the list", async () => {
  const source = server.sources[0];
  source.say("product", { id: "bowl", title: "Bowl" });
  source.say("stock", { product_id: "tea", stock: 3, availability: "in_stock" });
  assert.equal(feed.products.get("tea").stock, 3);
  source.say("product", { id: "tea", removed: true });
  assert.deepEqual([...feed.products.keys()], ["bowl"]);
  await settle();
  assert.deepEqual(server.asked, []);
  source.say("product", { reload: true, changed: 99 });
  await settle();
  assert.deepEqual(server.asked, ["products"]);
});

test("an event that comes while the list is on its way is not undone by it", async () => {
  const source = server.sources[0];
  server.productsJson = [{ id: "tea", title: "Green tea", stock: 9 }];
  const loading = feed.refreshProducts();
  source.say("stock", { product_id: "tea", stock: 0, availability: "out_of_stock" });
  source.say("product", { id: "bowl", title: "Bowl" });
  await loading;
  const { title, stock } = feed.products.get("tea");
  assert.deepEqual([title, stock, feed.products.size], ["Green tea", 0, 2]);
});

test("a pin that is told of while an older snapshot is on its way stays, and is asked for", async () => {
  const loading = feed.refreshTimeline();
  server.sources[0].say("timeline", { session: "s1", seq: 2, intervals: [pin("b")] });
  server.timelineJson = { session: "s1", seq: 2, cursor: 41, intervals: [pin("a"), pin("b")] };
  await loading;
  assert.deepEqual(feed.timeline.intervals.map(({ id }) => id), ["a", "b"]);
  await settle();
  assert.deepEqual(server.asked, ["timeline", "timeline"]);
  assert.deepEqual([feed.timeline.seq, feed.timeline.intervals.length], [2, 2]);
});

test("a state is told at once", () => {
  let told = 0;
  feed.addEventListener("channel", () => (told += 1));
  server.sources[0].say("state", { state: "offline", session: null, started_at: null });
  assert.equal(feed.state, "offline");
  assert.equal(told, 1);
});

test("a reset loads everything anew", async () => {
  server.sources[0].say("reset", {});
  await settle();
  assert.deepEqual(server.asked.sort(), ["channel", "products", "timeline"]);
});

test("what is not JSON does no harm", () => {
  server.sources[0].dispatchEvent(Object.assign(new Event("viewers"), { data: "{" }));
  assert.equal(feed.state, "live");
});

test("a refused line is opened again, and polled meanwhile", async () => {
  const source = server.sources[0];
  source.close();
  source.dispatchEvent(new Event("error"));
  mock.timers.tick(1_000);
  assert.equal(server.sources.length, 2);
  server.sources[1].readyState = 0;
  mock.timers.tick(31_000);
  await settle();
  assert.ok(server.asked.includes("timeline"));
});

test("a server out of reach is told once and forgiven when it answers", async () => {
  const told = [];
  feed.addEventListener("channel", () => told.push(feed.reachable));
  server.broken = new ApiError(0, null);
  await feed.refresh();
  assert.equal(feed.reachable, false);
  server.broken = null;
  await feed.refresh();
  assert.equal(feed.reachable, true);
  assert.ok(told.includes(false));
  assert.equal(told.at(-1), true);
});

test("a channel that does not exist is missing, not unreachable", async () => {
  server.broken = new ApiError(404, { title: "No such channel" });
  await feed.refreshChannel();
  assert.deepEqual([feed.missing, feed.reachable], [true, true]);
});

test("after stop nothing is asked or told", async () => {
  feed.stop();
  mock.timers.tick(120_000);
  await settle();
  assert.deepEqual(server.asked, []);
  assert.equal(server.sources[0].readyState, 2);
});

test("what the coach says changes the channel at once", () => {
  const warnings = [{ code: "black", severity: "warning", message: "The picture is black." }];
  server.sources[0].say("health", { warnings });
  assert.deepEqual(feed.channel.warnings, warnings);
  server.sources[0].say("health", {});
  assert.deepEqual(feed.channel.warnings, warnings);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { sinceThen } from "../../player/chapter.js";
import { Feed } from "../../player/feed.js";
import { ApiError, urls } from "../../player/api.js";
import { Notice, noticeFor, Phase } from "../../player/phase.js";
import { addressAt } from "../../player/share.js";
import { wholes } from "../../player/files.js";
import { lookDue, playable, when } from "../../player/shows.js";
import { parseInterval } from "../../player/timeline.js";

const euro = (amount) => ({ amount, currency: "EUR" });
const sale = { price: euro(1290), sale_price: euro(990) };

test("an offer has ended when what it asked for is no longer enough", () => {
  assert.equal(sinceThen([sale], { price: euro(1290) }), "Offer ended");
  assert.equal(sinceThen([sale], { price: euro(1290), sale_price: euro(1100) }), "Offer ended");
  assert.equal(sinceThen([{ price: euro(1290) }, sale], { price: euro(1290) }), "Offer ended");
});

test("what is as cheap as then, was no offer, or cannot be told, is not marked", () => {
  assert.equal(sinceThen([sale], sale), null);
  assert.equal(sinceThen([sale], { price: euro(900) }), null);
  assert.equal(sinceThen([{ price: euro(1290) }], { price: euro(2000) }), null);
  assert.equal(sinceThen([null], { price: euro(2000) }), null);
  assert.equal(sinceThen([sale], { price: { amount: 2000, currency: "USD" } }), null);
  assert.equal(sinceThen([sale], { price: euro(1290), stock: 0 }), null, "sold out says enough");
});

test("an interval keeps what its card asked for", () => {
  const json = { id: "a", product_id: "tea", start: "2026-01-01T12:00:00.000Z", end: null };
  assert.equal(parseInterval(json).asked, null);
  const asked = parseInterval({ ...json, price_then: euro(1290), sale_price_then: euro(990) }).asked;
  assert.deepEqual(asked, sale);
});

test("shows that can be played are listed, the newest first", () => {
  const show = (id, state, seconds, day) => ({ id, state, duration_seconds: seconds, started_at: `2026-01-0${day}T12:00:00Z` });
  const all = [show("a", "ended", 60, 1), show("b", "live", 0, 4), show("c", "ended", 3, 3), show("d", "ended", 600, 2)];
  assert.deepEqual(playable(all).map(({ id }) => id), ["d", "a"]);
});

test("a show whose format changed is had in parts, any other as one file", () => {
  for (const parts of [1, 0, NaN]) assert.deepEqual(wholes(parts), [["recording.mp4", "The whole show (MP4)"]]);
  assert.deepEqual(wholes(2), [
    ["recording.mp4?part=1", "The show, part 1 of 2 (MP4)"],
    ["recording.mp4?part=2", "The show, part 2 of 2 (MP4)"],
  ]);
});

test("an old show is told with its year", () => {
  const session = { started_at: "2026-01-02T12:00:00Z" };
  const day = 86_400_000;
  const now = Date.parse(session.started_at);
  assert.doesNotMatch(when(session, now + day, "en"), /2026/);
  assert.match(when(session, now + 400 * day, "en"), /2026/);
});

test("a moment has an address of its own, the beginning the page's", () => {
  const page = { origin: "https://shop.example", pathname: "/replay/a/b/" };
  assert.equal(addressAt(0, page), "https://shop.example/replay/a/b/");
  assert.equal(addressAt(754, page), "https://shop.example/replay/a/b/?t=754");
});

test("a recording is never soon, interrupted or over: it plays, loads or cannot be reached", () => {
  const told = (phase, state = "offline") => noticeFor({ phase, state, recorded: true });
  for (const state of ["offline", "live", "interrupted", null]) {
    assert.equal(told(Phase.LOADING, state), Notice.LOADING);
    assert.equal(told(Phase.BUFFERING, state), Notice.LOADING);
    assert.equal(told(Phase.PLAYING, state), Notice.NONE);
    assert.equal(told(Phase.ENDED, state), Notice.NONE);
    assert.equal(told(Phase.FAILED, state), Notice.UNREACHABLE);
  }
});

/** The server of a channel whose show is recorded; `gone`: the channel was removed since. */
class Server {
  asked = [];

  constructor(gone = false) {
    this.gone = gone;
  }

  async #answer(name, json) {
    this.asked.push(name);
    if (this.gone && json !== this.timelineJson) throw new ApiError(404, {});
    return json;
  }

  channel() {
    return this.#answer("channel", { id: "demo", state: "live", session: "now" });
  }

  products() {
    return this.#answer("products", [{ id: "tea", title: "Tea", price: euro(1500) }]);
  }

  timelineJson = {
    session: "then",
    seq: 2,
    intervals: ["tea", "cup"].map((id) => ({
      id,
      product_id: id,
      start: "2026-01-01T12:00:00.000Z",
      end: "2026-01-01T12:00:09.000Z",
      product: { id, title: id, price: euro(1290) },
    })),
  };

  timeline() {
    throw new Error("the live timeline is not this show's");
  }

  replayTimeline(channel, session, token) {
    this.ticket = token;
    return this.#answer("replay", this.timelineJson);
  }

  events() {
    return Object.assign(new EventTarget(), { readyState: 1, close() {} });
  }
}

async function watching(server) {
  const feed = new Feed("demo", server, "then");
  await feed.start();
  feed.stop();
  return feed;
}

test("a replay has the timeline of its show and the prices of now", async () => {
  const feed = await watching(new Server());
  const [tea, cup] = feed.timeline.intervals.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  assert.equal(feed.productOf(tea).price.amount, 1500);
  assert.deepEqual([feed.productOf(cup).removed, feed.productOf(cup).availability], [true, "out_of_stock"]);
});

test("a ticket opens the timeline as it does the picture", async () => {
  const server = new Server();
  const feed = new Feed("demo", server, "then", "v1.demo.x");
  await feed.start();
  feed.stop();
  assert.equal(server.ticket, "v1.demo.x");
  assert.match(urls.ofReplay("demo", "then", "timeline.json", "v1.demo.x"), /\/replay\/demo\/~v1\.demo\.x\/then\/timeline\.json$/);
  assert.match(urls.ofReplay("demo", "then"), /\/replay\/demo\/then\/$/);
});

test("a stored timeline is read once", async () => {
  const server = new Server();
  const feed = await watching(server);
  await feed.refresh();
  assert.equal(server.asked.filter((name) => name === "replay").length, 1);
});

test("of a channel that was removed the show can be watched; nothing of it is sold", async () => {
  const feed = await watching(new Server(true));
  assert.equal(feed.timeline.intervals.length, 2);
  assert.ok(feed.timeline.intervals.every((interval) => feed.productOf(interval).removed));
});

test("an open lobby looks for a show that has just ended with every look, for others each minute", () => {
  const asked = 100_000;
  const due = (after, ended) => lookDue({ now: asked + after, asked, ended });
  assert.equal(due(10_000, -Infinity), false);
  assert.equal(due(60_000, -Infinity), true);
  assert.equal(due(10_000, asked + 5_000), true);
  assert.equal(due(50_000, asked - 20_000), false);
  assert.equal(lookDue({ now: 0, asked: -Infinity, ended: -Infinity }), true);
});

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { followPast } from "../../player/past.js";

const { fetch } = globalThis;
const SHOW = { id: "s1", channel: "tea", state: "ended", duration_seconds: 60, started_at: "2026-01-01T12:00:00Z" };
let sessions;
let player;
const settle = async () => {
  for (let n = 0; n < 40; n += 1) await Promise.resolve();
};

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  sessions = [];
  globalThis.fetch = () => Promise.resolve({ ok: true, status: 200, json: () => Promise.resolve({ items: sessions }) });
  const attributes = { channel: "tea", token: "a.b" };
  player = { feed: Object.assign(new EventTarget(), { state: null }), instead: undefined, getAttribute: (name) => attributes[name] };
});

afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = fetch;
});

async function becomes(state) {
  player.feed.state = state;
  player.feed.dispatchEvent(new Event("channel"));
  await settle();
}

test("a show that ends before an open page is offered there as soon as it is listed", async () => {
  const told = [];
  followPast(player, { target: "_blank", told: (past) => told.push(past.length) });
  await becomes("live");
  assert.equal(player.instead, null);
  await becomes("offline");
  assert.equal(player.instead, null, "it is still being written");
  sessions = [SHOW];
  mock.timers.tick(3_000);
  await settle();
  const { href, target } = player.instead;
  assert.ok(href.endsWith("/replay/tea/s1/?token=a.b"), href);
  assert.equal(target, "_blank");
  assert.equal(told.at(-1), 1);
});

test("what is offered goes when its recording has gone", async () => {
  sessions = [SHOW];
  followPast(player);
  await becomes("offline");
  assert.ok(player.instead.href.includes("/s1/"));
  sessions = [];
  await becomes("live");
  assert.equal(player.instead, null);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { webUrl } from "../../player/api.js";
import { backoff } from "../../player/backoff.js";
import { coalesce } from "../../player/coalesce.js";
import { hintOf, readingsOf } from "../../player/health.js";
import { isRtl, localeOf } from "../../player/locale.js";
import { formatPrice, priceOf } from "../../player/money.js";
import { wordsFor, wordsOfNone } from "../../player/notice.js";
import { besideThePicture, EXPIRED, isOnAir, Notice, noticeFor, Phase } from "../../player/phase.js";
import { obstacleOf } from "../../player/preview.js";
import { clock } from "../../player/tiles.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

test("prices keep their currency's digits", () => {
  assert.equal(formatPrice({ amount: 1890, currency: "EUR" }, "en"), "\u20ac18.90");
  assert.equal(formatPrice({ amount: 4500, currency: "JPY" }, "en"), "\u00a54,500");
  assert.equal(plain(formatPrice({ amount: 12500, currency: "KWD" }, "en")), "KWD 12.500");
  assert.equal(plain(formatPrice({ amount: 1890, currency: "EUR" }, "de")), "18,90 \u20ac");
});

test("a price that is none is shown as it came, or not at all", () => {
  assert.equal(formatPrice({ amount: 5, currency: "?" }, "en"), "5 ?");
  assert.equal(formatPrice(null), "");
  assert.equal(formatPrice({ amount: 1.5, currency: "EUR" }), "");
});

test("a sale is one only when it is lower, in the same currency", () => {
  const price = { amount: 2400, currency: "EUR" };
  const sale = { amount: 1800, currency: "EUR" };
  assert.deepEqual(priceOf({ price, sale_price: sale }), { now: sale, was: price, off: 25 });
  const [was, now] = [6800, 5400].map((amount) => ({ amount, currency: "EUR" }));
  assert.equal(priceOf({ price: was, sale_price: now }).off, 20, "as the card rounds: down");
  assert.deepEqual(priceOf({ price, sale_price: price }), { now: price, was: null, off: 0 });
  assert.deepEqual(priceOf({ price, sale_price: { amount: 1, currency: "USD" } }).was, null);
  assert.deepEqual(priceOf(undefined), { now: null, was: null, off: 0 });
});

test("a link from a feed leads to the web or nowhere", () => {
  const base = "https://shop.example/";
  assert.equal(webUrl("https://a.example/x", base), "https://a.example/x");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[", "", null, 5]) {
    assert.equal(webUrl(bad, base), null);
  }
});

test("language tags are made safe and know their direction", () => {
  assert.equal(localeOf("zh_Hans_CN"), "zh-Hans-CN");
  assert.equal(localeOf("not a tag"), undefined);
  assert.equal(isRtl("ar"), true);
  assert.equal(isRtl("fa-IR"), true);
  assert.equal(isRtl("en"), false);
  assert.equal(isRtl("x y"), false);
});

test("a shopper is told the one thing that matters", () => {
  const { LOADING, PLAYING, PAUSED, BUFFERING, ENDED, FAILED, IDLE } = Phase;
  const cases = [
    [{ state: "live", phase: PLAYING }, Notice.NONE],
    [{ state: "offline", phase: PLAYING }, Notice.NONE],
    [{ state: "live", phase: PAUSED, reachable: false }, Notice.NONE],
    [{ state: null, phase: IDLE }, Notice.LOADING],
    [{ state: "live", phase: LOADING }, Notice.LOADING],
    [{ state: "live", phase: BUFFERING }, Notice.LOADING],
    [{ state: "live", phase: FAILED }, Notice.LOADING],
    [{ state: "live", phase: ENDED }, Notice.LOADING],
    [{ state: "offline", phase: IDLE }, Notice.SOON],
    [{ state: "offline", phase: IDLE, seen: true }, Notice.ENDED],
    [{ state: "offline", phase: ENDED, seen: true }, Notice.ENDED],
    [{ state: "interrupted", phase: BUFFERING }, Notice.INTERRUPTED],
    [{ state: "live", phase: BUFFERING, reachable: false }, Notice.UNREACHABLE],
    [{ state: "live", phase: Phase.UNSUPPORTED }, Notice.UNSUPPORTED],
    [{ state: null, phase: IDLE, missing: true }, Notice.MISSING],
  ];
  for (const [given, notice] of cases) assert.equal(noticeFor(given), notice, JSON.stringify(given));
});

test("nothing is called live that does not come through, whatever the channel was last known to be", () => {
  for (const notice of [Notice.UNREACHABLE, Notice.DENIED, Notice.MISSING]) assert.equal(isOnAir("live", notice), false, notice);
  for (const notice of [Notice.NONE, Notice.LOADING]) assert.equal(isOnAir("live", notice), true, notice);
  assert.equal(isOnAir("interrupted", Notice.NONE), false);
});

test("what is told beside the picture does not contradict what stands in its place", () => {
  for (const notice of Object.values(Notice)) {
    if (notice !== Notice.NONE) assert.equal(besideThePicture("interrupted", notice), notice);
    assert.equal(besideThePicture("live", notice), notice);
  }
  assert.equal(besideThePicture("interrupted", Notice.NONE), Notice.INTERRUPTED, "a slate plays");
});

test("a page without a bag is not told of one", () => {
  for (const notice of Object.values(Notice)) assert.doesNotMatch(wordsFor(notice).join(" "), /\bbag\b/, notice);
  assert.match(wordsFor(Notice.ENDED)[1], /listed on this page/);
  assert.match(wordsFor(Notice.ENDED, { bag: true })[1], /in the bag/);
  assert.equal(wordsFor(Notice.ENDED, { bag: true })[0], wordsFor(Notice.ENDED)[0]);
  assert.deepEqual(wordsFor(Notice.SOON, { bag: true }), wordsFor(Notice.SOON));
});

test("after a show without products none are spoken of, nor promised", () => {
  for (const bag of [true, false]) assert.doesNotMatch(wordsFor(Notice.ENDED, { bag, empty: true }).join(" "), /shown|listed|bag/);
  assert.doesNotMatch(wordsOfNone(Notice.ENDED), /appear/);
  assert.match(wordsOfNone(Notice.SOON), /appear here/);
});

test("a show is promised soon only where there was none before", () => {
  assert.equal(wordsFor(Notice.SOON)[0], "Starts soon");
  const again = wordsFor(Notice.SOON, { again: true });
  const offered = wordsFor(Notice.SOON, { again: true, offered: true });
  for (const words of [again, offered]) assert.doesNotMatch(words.join(" "), /soon/i);
  assert.doesNotMatch(again.join(" "), /last one/, "its recording was removed, or there is none");
  assert.match(offered.join(" "), /last one/);
  assert.deepEqual(wordsFor(Notice.ENDED, { again: true, offered: true }), wordsFor(Notice.ENDED));
});

test("the studio's preview does not tell the host about the host", () => {
  const told = (notice) => wordsFor(notice, { host: true, again: true }).join(" ");
  for (const notice of Object.values(Notice)) assert.doesNotMatch(told(notice), /\bhost\b|stay here|thank you/i, notice);
  assert.match(told(Notice.SOON), /Off air/);
  assert.equal(wordsFor(Notice.UNSUPPORTED, { host: true })[0], wordsFor(Notice.UNSUPPORTED)[0]);
});

test("tries come ever later, up to a limit", () => {
  const middle = { random: () => 0.5 };
  assert.deepEqual([0, 1, 2, 3, 9, 1000].map((n) => backoff(n, middle)), [500, 1000, 2000, 4000, 10000, 10000]);
  assert.ok(backoff(3, { random: () => 0 }) < backoff(3, { random: () => 1 }));
});

test("asking while it runs means once more, not twice at a time", async () => {
  let runs = 0;
  let together = 0;
  let most = 0;
  const releases = [];
  const ask = coalesce(async () => {
    runs += 1;
    most = Math.max(most, ++together);
    await new Promise((release) => releases.push(release));
    together -= 1;
  });
  const first = ask();
  ask();
  ask();
  assert.equal(runs, 1);
  releases.shift()();
  await first;
  assert.equal(runs, 2);
  releases.shift()();
  await ask();
  assert.equal(most, 1);
});

test("time on air reads like a clock", () => {
  assert.deepEqual([0, 7_900, 754_000, 3_723_000, -5].map(clock), ["0:00", "0:07", "12:34", "1:02:03", "0:00"]);
});

test("the studio says what it waits for", () => {
  const url = "rtsp://ann:***@camera.example/1";
  assert.match(hintOf(null), /OBS/);
  assert.match(hintOf({ url, enabled: false, state: "off" }), /OBS/);
  assert.equal(hintOf({ url, enabled: true, state: "waiting" }), `Waiting for ${url}: the figures appear here.`);
});

test("a lost encoder's last figures are not passed off as what comes now", () => {
  const channel = { ingest: { bitrate: 2_000_000 }, renditions: [{ name: "720p", width: 1280 }], viewers: 3 };
  const terms = (state) => readingsOf({ ...channel, state }).map(([term]) => term);
  assert.deepEqual(terms("live"), ["Bitrate", "Ladder", "Viewers"]);
  assert.deepEqual(terms("interrupted"), ["Ladder", "Viewers"]);
  assert.deepEqual(terms("offline"), []);
});

test("a ticket that opens nothing is told, whatever the channel does", () => {
  for (const state of ["live", "offline", "interrupted", null]) {
    assert.equal(noticeFor({ state, phase: Phase.DENIED }), Notice.DENIED);
  }
  assert.match(wordsFor(Notice.DENIED).join(" "), /ticket/);
  assert.doesNotMatch(wordsFor(Notice.DENIED, { refused: EXPIRED }).join(" "), /may/, "the server said that it did");
});

test("what a preview without delay cannot show is told, and nothing else", () => {
  for (const ingest of [undefined, {}, { video: "h264" }, { video: "vp8", b_frames: false }]) {
    assert.equal(obstacleOf(ingest), "");
  }
  assert.match(obstacleOf({ video: "hevc" }), /HEVC/);
  assert.match(obstacleOf({ video: "h264", b_frames: true }), /B-frames/);
});

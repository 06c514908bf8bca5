import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Air, afterRefusal, failureOf, isOn, wordsOf } from "../../player/onair.js";
import { look, outgoing, rows } from "../../player/outgoing.js";
import { iceServersOf, preferred, withStart } from "../../player/sdp.js";
import { askKey, forgetKey, heldKey } from "../../player/token.js";

test("every state has its words, and three of them are on", () => {
  for (const air of Object.values(Air)) {
    const [word, sentence] = wordsOf(air);
    assert.ok(word.length > 3 && sentence.endsWith("."), air);
  }
  assert.deepEqual(Object.values(Air).filter(isOn), [Air.CONNECTING, Air.LIVE, Air.RECONNECTING]);
});

test("a camera that cannot be opened is told with what to do", () => {
  const says = (name, secure) => failureOf({ name, message: "why" }, secure).join(" ");
  assert.match(says("NotAllowedError"), /Allow camera and microphone.*Try again/);
  assert.match(says("SecurityError"), /Allow camera/);
  assert.match(says("NotFoundError"), /No camera was found/);
  assert.match(says("NotReadableError"), /Another program/);
  assert.match(says("OldBrowser"), /current Chrome/);
  assert.match(says("WhateverError"), /why\. Press Try again/);
  assert.match(says("OldBrowser", false), /https:\/\/.*localhost/, "the address comes before all else");
});

test("a refused offer is tried again only where that can help", () => {
  const refusal = (status, retryAfter = null) => afterRefusal({ status, message: "No.", retryAfter }, 700);
  for (const status of [401, 403]) assert.deepEqual(refusal(status), { wait: null, key: true, sentence: "No." });
  for (const status of [404, 409, 413, 415, 422]) assert.equal(refusal(status).wait, null);
  assert.equal(refusal(404).key, false);
  assert.equal(refusal(429, 12).wait, 12_000);
  for (const status of [0, 500, 503]) assert.equal(refusal(status).wait, 700);
});

const stats = (at, { bytes, frames, width = 1280, height = 720, limited = "none" }) =>
  look(
    new Map([
      ["C", { type: "codec", id: "C", mimeType: "video/H264" }],
      ["V", { type: "outbound-rtp", kind: "video", bytesSent: bytes, framesSent: frames, frameWidth: width, frameHeight: height, qualityLimitationReason: limited, codecId: "C" }],
      ["A", { type: "outbound-rtp", kind: "audio", bytesSent: bytes / 50 }],
      ["R", { type: "remote-inbound-rtp", kind: "video", roundTripTime: 0.042, fractionLost: 0.021 }],
    ]),
    at,
  );

test("figures are what went out between two looks", () => {
  const found = outgoing(stats(1_000, { bytes: 100_000, frames: 30 }), stats(3_000, { bytes: 700_000, frames: 90, limited: "bandwidth" }));
  assert.equal(found.fps, 30);
  assert.equal(found.bitrate, (8 * 612_000) / 2);
  assert.deepEqual(rows(found), [
    ["Bitrate", "2.4 Mbit/s"],
    ["Frame rate", "30 fps"],
    ["Picture", "1280\u00d7720"],
    ["Codec", "H264"],
    ["Held back by", "the network"],
    ["Round trip", "42 ms"],
    ["Lost on the way", "2.1 %"],
  ]);
});

test("counters that begin anew, and a browser that tells nothing, give no figures", () => {
  const anew = outgoing(stats(1_000, { bytes: 700_000, frames: 90 }), stats(2_000, { bytes: 1_000, frames: 3 }));
  assert.equal(anew.bitrate, null);
  assert.equal(anew.fps, null);
  const nothing = look(new Map(), 0);
  assert.deepEqual(rows(outgoing(nothing, { ...nothing, at: 1_000 })), [["Bitrate", "0 kbit/s"]]);
});

const ANSWER = ["v=0", "m=audio 9 X 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10", "m=video 9 X 96 97 98", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:98 H264/90000", "a=fmtp:98 packetization-mode=1", ""];

test("the first bitrate is written for each video codec and nothing else", () => {
  assert.deepEqual(withStart(ANSWER.join("\r\n"), 900).split("\r\n"), [
    ...ANSWER.slice(0, 6),
    "a=fmtp:96 x-google-start-bitrate=900",
    ...ANSWER.slice(6, 9),
    "a=fmtp:98 packetization-mode=1;x-google-start-bitrate=900",
    "",
  ]);
});

test("ice servers are read as they are written", () => {
  const links = '<stun:a.example:3478>; rel="ice-server", <turn:b.example?transport=udp>; rel="ice-server"; username="x\\"y, z"; credential="s;c"; credential-type="password", <https://c.example>; rel="next"';
  assert.deepEqual(iceServersOf(links), [{ urls: "stun:a.example:3478" }, { urls: "turn:b.example?transport=udp", username: 'x"y, z', credential: "s;c" }]);
  assert.deepEqual(iceServersOf(null), []);
});

test("H.264 first, then VP8, their retransmissions, nothing else", () => {
  const codec = (mimeType, sdpFmtpLine = "") => ({ mimeType, sdpFmtpLine });
  const high = codec("video/H264", "packetization-mode=1;profile-level-id=640c1f");
  const single = codec("video/H264", "packetization-mode=0;profile-level-id=42e01f");
  const base = codec("video/H264", "packetization-mode=1;profile-level-id=42e01f");
  const found = preferred([codec("video/VP8"), codec("video/AV1"), codec("video/rtx"), high, single, base]);
  assert.deepEqual(found, [base, high, single, codec("video/VP8"), codec("video/rtx")]);
});

class Form extends EventTarget {
  hidden = true;
  inert = false;
  field = Object.assign(new EventTarget(), { value: "", focus: () => undefined, setAttribute: () => undefined });
  problem = { value: "" };
  elements = { namedItem: (name) => ({ token: this.field, problem: this.problem })[name] };

  give(key) {
    this.field.value = key;
    this.dispatchEvent(new Event("submit", { cancelable: true }));
  }
}

beforeEach(() => {
  const kept = new Map();
  globalThis.sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  globalThis.location = { hash: "", pathname: "/studio/tea/camera", search: "" };
  globalThis.history = { replaceState: () => undefined };
});

test("the stream key comes from the address, else is asked for, and is asked for again", async () => {
  assert.equal(heldKey("tea"), null);
  const form = new Form();
  const first = askKey("tea", form);
  assert.equal(form.hidden, false);
  form.give(" k1 ");
  assert.equal(await first, "k1");
  assert.equal(form.hidden, true);
  assert.equal(heldKey("tea"), "k1");
  forgetKey("tea");
  assert.equal(heldKey("tea"), null);
  const second = askKey("tea", form, "This stream key is not known.");
  assert.equal(form.problem.value, "This stream key is not known.");
  form.give("k2");
  assert.equal(await second, "k2");
  globalThis.location.hash = "#key=k3";
  assert.equal(heldKey("tea"), "k3");
});

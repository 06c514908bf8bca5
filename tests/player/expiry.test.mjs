import assert from "node:assert/strict";
import { test } from "node:test";

import { expiryWords } from "../../player/expiry.js";

const UNTIL = "2026-01-02T18:00:00.000Z";
const at = (text) => expiryWords(UNTIL, Date.parse(text), { locale: "en-GB", timeZone: "UTC" });

test("a key without an end is not spoken of", () => {
  for (const none of [null, undefined, "", "soon"]) assert.equal(expiryWords(none, 0), null);
});

test("a day ahead it is said in passing", () => {
  assert.deepEqual(at("2026-01-01T17:59:59Z"), { text: "The stream key is good until 2 Jan 2026, 18:00.", near: false });
});

test("on its last day it is a warning that says how long", () => {
  const cases = [
    ["2026-01-01T18:00:00Z", "24 h 0 min"],
    ["2026-01-02T12:29:00Z", "5 h 31 min"],
    ["2026-01-02T17:59:59Z", "1 min"],
  ];
  for (const [now, left] of cases) {
    const { text, near } = at(now);
    assert.ok(near);
    assert.match(text, new RegExp(`^The stream key expires in ${left}, on 2 Jan 2026, 18:00\\. `));
  }
});

test("an expired key cuts nobody off", () => {
  const { text, near } = at("2026-01-02T18:00:00Z");
  assert.ok(near);
  assert.match(text, /expired on 2 Jan 2026, 18:00\. A broadcast that is on goes on/);
});

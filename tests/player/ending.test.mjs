import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Api } from "../../player/api.js";
import { canEnd } from "../../player/ending.js";

const { fetch } = globalThis;

afterEach(() => {
  globalThis.fetch = fetch;
});

test("a show can be ended while it is on, also one whose encoder was lost", () => {
  assert.equal(canEnd({ state: "live" }), true);
  assert.equal(canEnd({ state: "interrupted" }), true);
  assert.equal(canEnd({ state: "offline" }), false);
  assert.equal(canEnd(null), false);
});

test("a show is ended by the anchor's own token", async () => {
  let sent = null;
  globalThis.fetch = async (url, options) => {
    sent = { url: String(url), ...options };
    return new Response(JSON.stringify({ state: "offline" }));
  };
  await new Api("anchor").stop("tea & cups");
  assert.equal(sent.method, "POST");
  assert.ok(sent.url.endsWith("/api/v1/channels/tea%20%26%20cups/stop"), sent.url);
  assert.equal(sent.headers.Authorization, "Bearer anchor");
});

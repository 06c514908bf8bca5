import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Api, ApiError, newKey } from "../../player/api.js";

const { fetch } = globalThis;

afterEach(() => {
  globalThis.fetch = fetch;
});

/** Answer every call with what `make` gives. */
function answer(make) {
  globalThis.fetch = () => Promise.resolve(make());
}

test("a key is made where there is no secure context", () => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  try {
    assert.match(newKey(), /^[0-9a-f]{32}$/);
    assert.notEqual(newKey(), newKey());
  } finally {
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
  }
});

test("a line that breaks in the middle of an answer is told as no connection", async () => {
  const broken = () => new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  answer(() => new Response(broken(), { status: 200 }));
  for (const call of [new Api().channel("tea"), new Api().channels(), new Api().timeline("tea")]) {
    await assert.rejects(call, (error) => error instanceof ApiError && error.status === 0);
  }
});

test("what the server refused is told in its own words", async () => {
  const problem = { title: "Conflict", detail: "3 products are pinned; unpin one first.", code: "pins-full" };
  answer(() => new Response(JSON.stringify(problem), { status: 409 }));
  await assert.rejects(new Api("t").pin("tea", "cup", newKey()), { status: 409, message: problem.detail });
});

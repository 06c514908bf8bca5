import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ApiError } from "../../player/api.js";
import { unlock } from "../../player/token.js";

const settle = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

/** The form as a person meets it. */
class Form extends EventTarget {
  hidden = true;
  inert = false;
  field = Object.assign(new EventTarget(), {
    value: "",
    attributes: {},
    focus: () => undefined,
    setAttribute: (name, value) => (this.field.attributes[name] = value),
  });
  problem = { value: "" };
  elements = { namedItem: (name) => ({ token: this.field, problem: this.problem })[name] };

  async give(token) {
    this.field.value = token;
    this.dispatchEvent(new Event("submit", { cancelable: true }));
    await settle();
  }
}

let kept;
let form;
let told;
const tell = (text) => told.push(text);

beforeEach(() => {
  kept = new Map();
  form = new Form();
  told = [];
  globalThis.sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  globalThis.location = { hash: "", pathname: "/studio/tea", search: "" };
  globalThis.history = { replaceState: (_, __, url) => (globalThis.location.shown = url) };
});

const opens = (token) => {
  if (token === "unknown") return Promise.reject(new ApiError(401, { title: "Unauthorized" }));
  return Promise.resolve(token === "good");
};

test("the address's token opens the page and leaves the address", async () => {
  location.hash = "#token=good&key=k";
  assert.equal(await unlock("tea", form, opens, tell), "good");
  assert.equal(location.shown, "/studio/tea");
  assert.equal(form.hidden, true);
  assert.deepEqual(Object.fromEntries(kept), { "vitrine.tea.token": "good", "vitrine.tea.key": "k" });
});

test("a token of another channel, or of none, does not open it", async () => {
  kept.set("vitrine.tea.token", "another's");
  const opened = unlock("tea", form, opens, tell);
  await settle();
  assert.equal(form.hidden, false);
  await form.give("unknown");
  assert.equal(form.problem.value, "This token does not open this page.");
  assert.equal(form.field.attributes["aria-invalid"], "true");
  assert.equal(form.inert, false);
  form.field.dispatchEvent(new Event("input"));
  assert.equal(form.problem.value, "", "typing takes the complaint away");
  await form.give("good");
  assert.equal(await opened, "good");
  assert.equal(form.hidden, true);
  assert.equal(form.field.value, "");
  assert.equal(form.problem.value, "");
});

test("a server that does not answer is asked again with the same token", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  kept.set("vitrine.tea.token", "good");
  let calls = 0;
  const late = (token) => {
    calls += 1;
    return calls < 3 ? Promise.reject(new ApiError(0, { title: "No line" })) : opens(token);
  };
  const opened = unlock("tea", form, late, tell);
  for (let n = 0; n < 2; n += 1) {
    await settle();
    mock.timers.tick(60_000);
  }
  assert.equal(await opened, "good");
  assert.deepEqual(told, ["No line", "No line", ""]);
  assert.equal(form.hidden, true);
});

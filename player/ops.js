/** The operator's console: every channel, how it fares, what is wrong. */

import { Api, urls } from "./api.js";
import { h, setText } from "./dom.js";
import { drawReadings, drawWarnings } from "./health.js";
import { ask, keepSecret, secret, takeFragment } from "./token.js";

const REFRESH_MS = 3_000;
const SCOPE = "ops";
const STATES = { live: "On air", interrupted: "Reconnecting", offline: "Off air" };
const find = (id) => document.getElementById(id);
const made = new Map();

function make(id) {
  const parts = {
    title: h("h2", { className: "channel-title" }),
    state: h("span", { className: "state" }),
    warnings: h("ul", { className: "warnings", hidden: true }),
    readings: h("dl", { className: "readings" }),
  };
  const links = h(
    "p",
    { className: "channel-links" },
    h("a", { href: urls.watch(id) }, "Shop window"),
    h("a", { href: urls.studio(id) }, "Studio"),
  );
  const head = h("header", { className: "channel-head" }, parts.title, parts.state);
  const element = h("li", { className: "channel" }, head, parts.warnings, parts.readings, links);
  return { ...parts, element };
}

function draw(channels) {
  const ids = new Set(channels.map(({ id }) => id));
  for (const [id, { element }] of made) {
    if (ids.has(id)) continue;
    element.remove();
    made.delete(id);
  }
  for (const channel of channels) {
    if (!made.has(channel.id)) made.set(channel.id, make(channel.id));
    const parts = made.get(channel.id);
    setText(parts.title, channel.title || channel.id);
    setText(parts.state, STATES[channel.state] ?? channel.state);
    parts.state.dataset.state = channel.state;
    drawWarnings(parts.warnings, channel.warnings ?? []);
    drawReadings(parts.readings, channel);
    parts.readings.hidden = channel.state === "offline";
  }
  const order = [...channels].sort((a, b) => (b.warnings?.length ?? 0) - (a.warnings?.length ?? 0) || (a.state === "offline") - (b.state === "offline"));
  order.forEach(({ id }, n) => {
    const list = find("channels");
    const { element } = made.get(id);
    if (list.children[n] !== element) list.insertBefore(element, list.children[n] ?? null);
  });
  const live = channels.filter(({ state }) => state === "live").length;
  setText(find("sum"), `${live} of ${channels.length} on air`);
  find("empty").hidden = channels.length > 0;
}

async function watch(api) {
  try {
    if (!document.hidden) draw(await api.channels());
    find("banner").hidden = true;
  } catch (error) {
    find("banner").hidden = false;
    setText(find("banner"), error.message);
  }
  setTimeout(() => watch(api), REFRESH_MS);
}

async function begin(token) {
  const api = new Api(token);
  try {
    draw(await api.channels());
  } catch (error) {
    if (error.status !== 0) return false;
  }
  keepSecret(SCOPE, "token", token);
  find("desk").hidden = false;
  watch(api);
  return true;
}

takeFragment(SCOPE);
const token = secret(SCOPE, "token");
if (!token || !(await begin(token))) ask(find("gate"), begin);

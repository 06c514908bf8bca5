/** The operator's console: every channel, how it fares, what is wrong. */

import { Api, urls } from "./api.js";
import { h, setText } from "./dom.js";
import { drawReadings, drawWarnings, STATES } from "./health.js";
import { troubles } from "./coach.js";
import { unlock } from "./token.js";

const REFRESH_MS = 3_000;
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
  const order = [...channels].sort((a, b) => troubles(b) - troubles(a) || (a.state === "offline") - (b.state === "offline"));
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
    warn("");
  } catch (error) {
    warn(error.message);
  }
  setTimeout(() => watch(api), REFRESH_MS);
}

/** Try a token: who runs a channel is told where to stream to, and the operator runs them all. */
async function opens(token) {
  const channels = await new Api(token).channels();
  return channels.every(({ rtmp_url: server }) => server);
}

function warn(text) {
  find("banner").hidden = !text;
  setText(find("banner"), text);
}

const token = await unlock("/ops", find("gate"), opens, warn);
find("desk").hidden = false;
watch(new Api(token));

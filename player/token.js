/** A page's token: from the address's fragment, else remembered by this tab, else asked for. */

import { backoff } from "./backoff.js";
import { recall, remember } from "./dom.js";

const tab = () => sessionStorage;

/**
 * Answer a token that opens the page: the address's, this tab's, else one that `form` asks for.
 *
 * `opens(token)` answers whether it does, or throws ApiError; a server that does not answer is
 * asked again, and `tell(message)` says so meanwhile ("": all is well).
 */
export async function unlock(scope, form, opens, tell) {
  takeFragment(scope);
  const good = (token) => tried(token, opens, tell);
  const kept = secret(scope, "token");
  const token = kept && (await good(kept)) ? kept : await asked(form, good);
  remember(`vitrine.${scope}.token`, token, tab);
  return token;
}

/** Take `#token=...&key=...` out of the address bar and into this tab's memory. */
function takeFragment(scope) {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["token", "key"]) {
    const value = given.get(name);
    if (value) remember(`vitrine.${scope}.${name}`, value, tab);
  }
  if (given.has("token") || given.has("key")) history.replaceState(null, "", location.pathname + location.search);
}

/** Give what this tab remembers: `token`, `key`; null for nothing. */
export function secret(scope, name) {
  return recall(`vitrine.${scope}.${name}`, tab);
}

/** Give the stream key that the address, or this tab, has; null for none. */
export function heldKey(scope) {
  takeFragment(scope);
  return secret(scope, "key");
}

/** Ask for the stream key; `problem` says what is wrong with the one before. */
export async function askKey(scope, form, problem = "") {
  const answer = asked(form, () => Promise.resolve(true));
  form.elements.namedItem("problem").value = problem;
  const key = await answer;
  remember(`vitrine.${scope}.key`, key, tab);
  return key;
}

/** Forget a stream key that does not open its channel. */
export function forgetKey(scope) {
  remember(`vitrine.${scope}.key`, null, tab);
}

async function tried(token, opens, tell) {
  for (let n = 0; ; n += 1) {
    try {
      const good = await opens(token);
      tell("");
      return good;
    } catch (error) {
      if (error.status === 401) {
        tell("");
        return false;
      }
      tell(error.message);
      await new Promise((resolve) => setTimeout(resolve, backoff(n)));
    }
  }
}

/** Show the form until it gives a token that is `good`. */
function asked(form, good) {
  const field = form.elements.namedItem("token");
  const problem = form.elements.namedItem("problem");
  const say = (text) => {
    problem.value = text;
    field.setAttribute("aria-invalid", String(text !== ""));
  };
  form.hidden = false;
  field.focus();
  // The form may be shown again for another question: this one then listens no more.
  const done = new AbortController();
  const { signal } = done;
  field.addEventListener("input", () => say(""), { signal });
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const token = field.value.trim();
      if (!token || form.inert) return;
      form.inert = true;
      const accepted = await good(token);
      form.inert = false;
      say(accepted ? "" : "This token does not open this page.");
      if (!accepted) {
        field.focus();
        return;
      }
      form.hidden = true;
      field.value = "";
      done.abort();
      resolve(token);
    }, { signal });
  });
}

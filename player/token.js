/** A page's token: from the address's fragment, else remembered by this tab, else asked for. */

import { recall, remember } from "./dom.js";

const tab = () => sessionStorage;

/** Take `#token=...&key=...` out of the address bar and into this tab's memory. */
export function takeFragment(scope) {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["token", "key"]) {
    const value = given.get(name);
    if (value) remember(`vitrine.${scope}.${name}`, value, tab);
  }
  if (given.has("token") || given.has("key")) history.replaceState(null, "", location.pathname + location.search);
}

export function secret(scope, name) {
  return recall(`vitrine.${scope}.${name}`, tab);
}

export function keepSecret(scope, name, value) {
  remember(`vitrine.${scope}.${name}`, value, tab);
}

/** Ask for the token until `accept(token)` resolves to true. The form is shown meanwhile. */
export function ask(form, accept) {
  form.hidden = false;
  const field = form.elements.namedItem("token");
  field.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = field.value.trim();
    if (!token) return;
    const good = await accept(token);
    field.setCustomValidity(good ? "" : "This token does not open this page.");
    field.reportValidity();
    if (good) {
      form.hidden = true;
      field.value = "";
    }
  });
  field.addEventListener("input", () => field.setCustomValidity(""));
}

/** The button that shares the page, or a moment of it. */

import { setText } from "./dom.js";

const SAID_MS = 2_000;

/** Write the page's address, from `seconds` on where that is not the beginning. */
export function addressAt(seconds, { origin, pathname } = location) {
  return `${origin}${pathname}${seconds > 0 ? `?t=${seconds}` : ""}`;
}

/**
 * Take the ticket out of the address bar, where a cookie keeps it for a reload: what is copied from
 * there is soon somebody else's.
 */
export function hideTicket() {
  const query = new URLSearchParams(location.search);
  if (!query.has("token") || !navigator.cookieEnabled) return;
  query.delete("token");
  const rest = query.toString();
  history.replaceState(null, "", location.pathname + (rest && `?${rest}`));
}

/** Share this page by what the device offers, else by the clipboard; the button says which. */
export async function share(button, seconds = 0) {
  const { title } = document;
  const url = addressAt(seconds);
  if (navigator.share) {
    await navigator.share({ title, url }).catch(() => undefined);
    return;
  }
  // Plain HTTP has no clipboard.
  const copied = await Promise.resolve(navigator.clipboard?.writeText(url)).then(
    () => Boolean(navigator.clipboard),
    () => false,
  );
  const text = button.dataset.text ?? button.textContent;
  button.dataset.text = text;
  if (!copied) history.replaceState(null, "", url);
  setText(button, copied ? "Link copied" : "Copy the address above");
  setTimeout(() => setText(button, text), SAID_MS);
}

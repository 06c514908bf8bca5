/** How long to wait before trying again. Pure but for the injected randomness. */

/** Answer milliseconds for try `n` (0, 1, 2 ...): doubling from `first` to `most`, +-20 %. */
export function backoff(n, { first = 500, most = 10_000, random = Math.random } = {}) {
  const base = Math.min(most, first * 2 ** Math.min(n, 16));
  return Math.round(base * (0.8 + 0.4 * random()));
}

/** Prices as people read them. Amounts are integers in minor units of an ISO 4217 currency. */

/** Format `{amount, currency}` for a locale; an unknown currency is shown as it came. */
export function formatPrice(price, locale = undefined) {
  if (!price || !Number.isSafeInteger(price.amount) || typeof price.currency !== "string") return "";
  try {
    const format = new Intl.NumberFormat(locale, {
      style: "currency",
      currency: price.currency,
      currencyDisplay: "narrowSymbol",
    });
    const digits = format.resolvedOptions().maximumFractionDigits;
    return format.format(price.amount / 10 ** digits);
  } catch (error) {
    if (error instanceof RangeError) return `${price.amount} ${price.currency}`;
    throw error;
  }
}

/** Tell what a product costs now, what it cost before (or null), and the discount in percent. */
export function priceOf(product) {
  const { price, sale_price: sale } = product ?? {};
  if (!price) return { now: null, was: null, off: 0 };
  const reduced = sale && sale.currency === price.currency && sale.amount < price.amount;
  if (!reduced) return { now: price, was: null, off: 0 };
  // Rounded down, as the card in the picture has it: it never promises too much.
  const off = Math.floor(((price.amount - sale.amount) * 100) / price.amount);
  return { now: sale, was: price, off };
}

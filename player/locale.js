/** Language tags as the server gives them, made safe for Intl. Pure. */

const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"]);

/** Make a tag that Intl takes; undefined (the browser's own) for one that is none. */
export function localeOf(tag) {
  try {
    return Intl.getCanonicalLocales(String(tag).replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}

/** Tell whether a language is written from right to left. */
export function isRtl(tag) {
  const locale = localeOf(tag);
  return locale !== undefined && RIGHT_TO_LEFT.has(new Intl.Locale(locale).maximize().script);
}

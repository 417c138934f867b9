/** Values for the names in a text. */
export type Values = Readonly<Record<string, string | number>>;

/** A name in braces: letters, digits, `_`, `.` and `-`. Other braces are text. */
const NAME = /\{([\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63})\}/gu;

/**
 * Puts values in the place of `{name}`s.
 * @returns the text, and the names that had no value (each once), which then still stand in it.
 */
export function fillIn(text: string, values: Values, fallback: Values = {}): { text: string; missing: string[] } {
  if (!text.includes('{')) return { text, missing: [] };
  const missing = new Set<string>();
  const filled = text.replace(NAME, (whole, name: string) => {
    // Own properties only: `{constructor}` is a name like any other.
    if (Object.hasOwn(values, name)) return String(values[name]);
    if (Object.hasOwn(fallback, name)) return String(fallback[name]);
    missing.add(name);
    return whole;
  });
  return { text: filled, missing: [...missing] };
}

/**
 * JSON as PostgreSQL's jsonb can hold it. Two things that JSON allows and jsonb does not, NUL and halves of surrogate pairs,
 * become U+FFFD: such text comes from outside, and must not stop what came with it.
 */
export function jsonText(value: object): string {
  const text = JSON.stringify(value);
  return SUSPECT.test(text) ? JSON.stringify(value, wellFormed) : text;
}

// JSON.stringify escapes exactly these, so that all other text passes with one scan.
const SUSPECT = /\\u(0000|d[89a-f])/;

function wellFormed(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return cleaned(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [cleaned(key), part]));
}

function cleaned(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

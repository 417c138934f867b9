import { isRecord } from '../answer.ts';

/**
 * Reading what the provider posts without trusting it: each of these gives null for what is not as it should be. Meta documents
 * ids, times and flags as strings here and as numbers there; both are read.
 */

/** Longest text of one field that is kept. Meta's longest is a text message's body: 4096. */
const LONGEST = 65_536;

/** A text that is not empty, cut where it is too long. NUL and halves of characters become U+FFFD: no store holds them. */
export function textOf(value: unknown, longest = LONGEST): string | null {
  if (typeof value !== 'string' || value.length === 0) return null;
  return value.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd');
}

/** An id of the provider's: up to 512 characters of ASCII that can be seen; a number is taken as its digits. */
export function idOf(value: unknown): string | null {
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof id === 'string' && /^[\x21-\x7e]{1,512}$/.test(id) ? id : null;
}

/** Degrees or counts: a finite number, or a text that is one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** Milliseconds since 1970 of Meta's whole seconds. */
export function timeOf(value: unknown): number | null {
  const seconds = typeof value === 'string' && /^\d{1,11}$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e11 ? Math.floor(seconds) * 1000 : null;
}

/** E.164 with `+`, of a number with or without it. */
export function phoneOf(value: unknown): string | null {
  const digits = typeof value === 'number' ? String(value) : value;
  return typeof digits === 'string' && /^\+?[1-9]\d{6,14}$/.test(digits) ? `+${digits.replace('+', '')}` : null;
}

/**
 * A business-scoped user id. Its documented form, a country and up to 128 letters and digits, is not insisted on: whom a message
 * is from must not be lost to a new form.
 */
export function userIdOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,160}$/.test(value) ? value : null;
}

export function recordOf(value: unknown): Record<string, unknown> | null {
  return isRecord(value) ? value : null;
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Without the entries that say nothing, so that what is shown has only what was said. */
export function told(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}

/** The most of a structure that is kept as it came: bytes of its JSON, and levels. Beyond it, the raw webhook has it. */
const MOST_KEPT = 65_536;
const DEEPEST_KEPT = 32;

/** Something as it came, when it is of a size that can be kept with a message; else null. */
export function keptOf<T extends object>(value: T | null): T | null {
  if (value === null || !isShallow(value, DEEPEST_KEPT)) return null;
  return JSON.stringify(value).length <= MOST_KEPT ? value : null;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  for (const part of Object.values(value)) if (!isShallow(part, levels - 1)) return false;
  return true;
}

/** What keeps a JSON value from being stored as it is. `path` is where in the value: `.a.b[2]`, empty for the whole. */
export interface OpaqueFlaw {
  path: string;
  flaw: string;
}

const DEEPEST = 16;

/**
 * Looks whether a JSON value that we only pass on can be stored and given back unchanged: not too deep, not longer than
 * `bytes` as JSON, and without what PostgreSQL's jsonb cannot hold.
 */
export function opaqueFlaw(value: unknown, bytes: number): OpaqueFlaw | null {
  const flaw = flawIn(value, '', 0);
  if (flaw) return flaw;
  const size = Buffer.byteLength(JSON.stringify(value));
  return size > bytes ? { path: '', flaw: `must be at most ${bytes} bytes of JSON, but is ${size}` } : null;
}

/** What keeps a string from being stored: jsonb has no NUL and no half of a surrogate pair. Null when nothing does. */
export function stringFlaw(value: string): string | null {
  if (value.includes('\0')) return 'must not contain the character U+0000';
  return value.isWellFormed() ? null : 'must not contain half of a surrogate pair';
}

function flawIn(value: unknown, path: string, depth: number): OpaqueFlaw | null {
  if (typeof value === 'string') return at(path, stringFlaw(value));
  // JSON can write numbers that a double cannot hold: 1e999.
  if (typeof value === 'number') return at(path, Number.isFinite(value) ? null : 'must be a number that fits a double');
  if (typeof value !== 'object' || value === null) return null;
  if (depth === DEEPEST) return { path, flaw: `must be at most ${DEEPEST} levels deep` };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const flaw = flawIn(value[i], `${path}[${i}]`, depth + 1);
      if (flaw) return flaw;
    }
    return null;
  }
  for (const [key, part] of Object.entries(value)) {
    const flaw = at(path, stringFlaw(key)) ?? flawIn(part, `${path}.${key}`, depth + 1);
    if (flaw) return flaw;
  }
  return null;
}

function at(path: string, flaw: string | null): OpaqueFlaw | null {
  return flaw === null ? null : { path, flaw };
}

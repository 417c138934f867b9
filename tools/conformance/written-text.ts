import type { Replacement } from './ledger.ts';

/** A request as it is documented: `METHOD PATH`, headers, an empty line, a body. */
export interface WrittenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** The body's text, or null without one. */
  body: string | null;
}

/** An answer as it is documented: the status, and the body, which is JSON. */
export interface WrittenAnswer {
  status: number;
  body: unknown;
}

/** Reads a documented request. */
export function readRequest(text: string): WrittenRequest {
  const [head = '', ...rest] = text.trim().split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const [method = '', path = ''] = first.split(' ');
  const headers = Object.fromEntries(lines.map(readHeader));
  const body = rest.join('\n\n');
  return { method, path, headers, body: body === '' ? null : body };
}

/** Reads how a socket is documented to be opened: `ws://ADDRESS`, a line `Headers:`, and a header a line. */
export function readHandshake(text: string): { url: string; headers: Record<string, string> } {
  const [url = '', , ...lines] = text.trim().split('\n');
  return { url, headers: Object.fromEntries(lines.map((line) => readHeader(line.trim()))) };
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** Reads a documented answer. @throws {SyntaxError} when its body is no JSON */
export function readAnswer(text: string, varies: Record<string, string> = {}): WrittenAnswer {
  const [status = '', ...lines] = text.trim().split('\n');
  return { status: Number(status), body: JSON.parse(vary(lines.join('\n'), varies)) };
}

/** A documented text with each of `varies` in the place of what is documented. @throws {Error} when it is not there */
export function vary(text: string, varies: Record<string, string>): string {
  return replaceAll(
    text,
    Object.entries(varies).map(([what, by]) => ({ what, by, why: '' })),
  );
}

/** A documented text with its changes. @throws {Error} for a change of something that is not there */
export function replaceAll(text: string, replaced: readonly Replacement[] = []): string {
  let changed = text;
  for (const { what, by } of replaced) {
    if (!changed.includes(what)) throw new Error(`replaces ${JSON.stringify(what)}, which is not in the text`);
    changed = changed.replaceAll(what, by);
  }
  return changed;
}

/** Fills in `{{name}}`. @throws {Error} for a name without a value */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known of {{${name}}}`);
    return value;
  });
}

/** The paths of everything in a JSON value: `a`, `a.b`, `list[].c`. */
export function pathsOf(value: unknown, above = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => pathsOf(item, `${above}[]`)))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    const path = above === '' ? name : `${above}.${name}`;
    return [path, ...pathsOf(part, path)];
  });
}

/** What stands at a path such as `data.page` or `length`. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | null | undefined)?.[name], value);
}

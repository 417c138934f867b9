import { readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Found, Layer } from './config-layer.ts';
import { UNUSED_KEYS } from './documented-names.ts';
import { didYouMean } from './near-names.ts';
import { type Alias, meaningOf } from './setting.ts';
import { ALL_SETTINGS } from './settings.ts';

/** A YAML file as a layer, and where it is. */
export interface FileLayer extends Layer {
  path: string | null;
}

const DEFAULT_FILE = 'aldis.yaml';
/** The settings by every key that a file may have for them; `rank` 0 is their own, the others are the documented services'. */
const NAMES = new Map<string, { key: string; alias: Alias; rank: number }>(
  ALL_SETTINGS.flatMap(({ key, setting }) =>
    [{ name: key }, ...setting.keys].map((alias, rank) => [alias.name, { key, alias, rank }]),
  ),
);
const SECTIONS = new Set([...NAMES.keys()].flatMap(sectionsOf));
/** The names to offer for an unknown one: our own. */
const KEYS = new Set(ALL_SETTINGS.map(({ key }) => key));
const ALL_NAMES = new Set([...KEYS, ...[...KEYS].flatMap(sectionsOf)]);

/** `a` and `a.b` for `a.b.c`. */
function sectionsOf(key: string): string[] {
  const path = key.split('.');
  return path.slice(1).map((_, depth) => path.slice(0, depth + 1).join('.'));
}

/** Reads the file that was named, or the default one if it is there. Sections may be nested or joined by dots. */
export function readFile(name: string | null, cwd: string): FileLayer {
  const path = resolve(cwd, name ?? DEFAULT_FILE);
  const shown = showPath(path, cwd);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (name === null && code === 'ENOENT') return { path: null, found: new Map(), problems: [], warnings: [] };
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${String(code)})`;
    return { path, found: new Map(), problems: [`file ${shown}: ${why}`], warnings: [] };
  }
  return { path, ...readYaml(content, shown) };
}

/** A file in or near the working folder is named as one would type it. */
function showPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') || isAbsolute(short) ? path : short;
}

function readYaml(content: string, file: string): Layer {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const found = new Map<string, Found>();
  const ranks = new Map<string, number>();
  const problems: string[] = [];
  const warnings: string[] = [];
  const at = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
  for (const error of document.errors) problems.push(`${at(error.pos[0])}: ${error.message}`);
  if (problems.length === 0) read(document.contents, '');
  return { found, problems, warnings };

  function read(given: unknown, above: string): void {
    const node = isAlias(given) ? given.resolve(document) : given;
    if (isScalar(node) && node.value === null) return;
    const where = at(offsetOf(given));
    if (!isMap(node)) {
      if (node) problems.push(`${where}: ${above === '' ? 'the file' : above} is not a section with settings below it`);
      return;
    }
    for (const { key: name, value } of node.items) {
      const key = `${above === '' ? '' : `${above}.`}${isScalar(name) ? String(name.value) : String(name)}`;
      const unused = UNUSED_KEYS.find(({ matches }) => matches.test(key));
      if (NAMES.has(key)) readSetting(key, value, offsetOf(name));
      else if (SECTIONS.has(key)) read(value, key);
      else if (unused) warnings.push(`${at(offsetOf(name))}: ${key} is ${unused.why}`);
      else
        problems.push(`${at(offsetOf(name))}: unknown key ${key}${didYouMean(key, above === '' ? ALL_NAMES : KEYS)}`);
    }
  }

  function readSetting(name: string, given: unknown, offset: number | undefined): void {
    const node = isAlias(given) ? given.resolve(document) : given;
    const items = isSeq(node) ? node.items : [node];
    if (!items.every((item) => item === null || isScalar(item))) {
      problems.push(`${at(offset)}: ${name} is not a section: write its value behind the colon`);
      return;
    }
    const texts = items.map(textOf).filter((text) => text !== undefined);
    // A key without a value leaves the setting to the layers below.
    if (!isSeq(node) && texts.length === 0) return;
    keep(name, isSeq(node) ? texts : String(texts[0]), at(offset));
  }

  /** Of several names for one setting the first in their order counts, and the others are told when they say otherwise. */
  function keep(name: string, written: string | readonly string[], where: string): void {
    const { key, alias, rank } = NAMES.get(name) ?? { key: name, alias: { name }, rank: 0 };
    const text = typeof written === 'string' ? meaningOf(alias, written) : written;
    const before = found.get(key);
    const stays = before !== undefined && (ranks.get(key) ?? 0) < rank;
    if (before !== undefined && String(before.text) !== String(text) && ranks.get(key) !== rank) {
      const [used, unused] = stays ? [before.source.name, where] : [where, before.source.name];
      warnings.push(`${key} is set twice: ${used} counts, ${unused} says otherwise and does not`);
    }
    if (stays) return;
    ranks.set(key, rank);
    found.set(key, { text, source: { layer: 'file', name: where } });
  }
}

/** What was written, not what YAML makes of it: an id of twenty digits is no number. */
function textOf(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  return typeof node.value === 'string' ? node.value : node.source;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}

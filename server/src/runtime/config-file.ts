import { readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Found, Layer } from './config-layer.ts';
import { didYouMean } from './near-names.ts';
import { ALL_SETTINGS } from './settings.ts';

/** A YAML file as a layer, and where it is. */
export interface FileLayer extends Layer {
  path: string | null;
}

const DEFAULT_FILE = 'aldis.yaml';
const KEYS = new Set(ALL_SETTINGS.map(({ key }) => key));
const SECTIONS = new Set(
  ALL_SETTINGS.flatMap(({ path }) => path.slice(1).map((_, depth) => path.slice(0, depth + 1).join('.'))),
);
const ALL_NAMES = new Set([...KEYS, ...SECTIONS]);

/** Reads the file that was named, or the default one if it is there. Sections may be nested or joined by dots. */
export function readFile(name: string | null, cwd: string): FileLayer {
  const path = resolve(cwd, name ?? DEFAULT_FILE);
  const shown = showPath(path, cwd);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (name === null && code === 'ENOENT') return { path: null, found: new Map(), problems: [] };
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${String(code)})`;
    return { path, found: new Map(), problems: [`file ${shown}: ${why}`] };
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
  const problems: string[] = [];
  const at = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
  for (const error of document.errors) problems.push(`${at(error.pos[0])}: ${error.message}`);
  if (problems.length === 0) read(document.contents, '');
  return { found, problems };

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
      if (KEYS.has(key)) readSetting(key, value, offsetOf(name));
      else if (SECTIONS.has(key)) read(value, key);
      else
        problems.push(`${at(offsetOf(name))}: unknown key ${key}${didYouMean(key, above === '' ? ALL_NAMES : KEYS)}`);
    }
  }

  function readSetting(key: string, given: unknown, offset: number | undefined): void {
    const node = isAlias(given) ? given.resolve(document) : given;
    const items = isSeq(node) ? node.items : [node];
    if (!items.every((item) => item === null || isScalar(item))) {
      problems.push(`${at(offset)}: ${key} is not a section: write its value behind the colon`);
      return;
    }
    const texts = items.map(textOf).filter((text) => text !== undefined);
    // A key without a value leaves the setting to the layers below.
    if (!isSeq(node) && texts.length === 0) return;
    found.set(key, { text: isSeq(node) ? texts : String(texts[0]), source: { layer: 'file', name: at(offset) } });
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

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { foundMistakes, plantedMistakes } from '../planted.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PLANTED = join(import.meta.dirname, 'planted');
const CHECKERS = join(ROOT, 'tools/import-rules/node_modules/.bin');

/** What the linters read beside the sources: their rules, and which packages a workspace declares. */
const SETTINGS = [
  'biome.jsonc',
  '.oxlintrc.json',
  'tsconfig.json',
  'package.json',
  'server/package.json',
  'simulator/package.json',
  'tools/lint-rules/environment.grit',
];

interface Mistake {
  file: string;
  rule: string;
}

interface BiomeReport {
  diagnostics: { category: string; location: { path: string } }[];
}

interface OxlintReport {
  diagnostics: { code: string; filename: string }[];
}

function report(command: string, args: string[], cwd: string): string {
  const env = { ...process.env, OXLINT_TSGOLINT_PATH: join(CHECKERS, 'tsgolint') };
  const { stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  assert.ok(stdout.trimStart().startsWith('{'), `${command} gave no report: ${stdout}${stderr}`);
  return stdout;
}

/** The linters leave planted files out where they lie. In a folder of their own, by the same settings, they read them. */
function lint(): Mistake[] {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-lint-'));
  try {
    cpSync(PLANTED, folder, { recursive: true });
    for (const file of SETTINGS) cpSync(join(ROOT, file), join(folder, file));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const biome = JSON.parse(
      report(join(ROOT, 'node_modules/.bin/biome'), ['lint', '--reporter=json', '--max-diagnostics=none', '.'], folder),
    ) as BiomeReport;
    const oxlint = JSON.parse(
      report(join(CHECKERS, 'oxlint'), ['--type-aware', '--format=json', '.'], folder),
    ) as OxlintReport;
    return [
      ...biome.diagnostics.map(({ category, location }) => ({ file: location.path, rule: lastOf(category) })),
      ...oxlint.diagnostics.map(({ code, filename }) => ({ file: filename, rule: lastOf(code) })),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `lint/style/noEnum` is noEnum, `typescript(await-thenable)` is await-thenable. */
function lastOf(name: string): string {
  return /([\w-]+)\)?$/.exec(name)?.[1] ?? name;
}

test('each planted line breaks exactly the rule it names, and no other breaks any', () => {
  assert.deepEqual(foundMistakes(lint()), plantedMistakes(PLANTED));
});

test('each rule that needs types has a planted mistake', () => {
  const settings = readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8');
  const rules = new Set([...settings.matchAll(/"typescript\/([\w-]+)": (?!"off")/g)].map((match) => match[1]));
  const planted = new Set(plantedMistakes(PLANTED).map((mistake) => mistake.split(' ')[1]));
  assert.ok(rules.size > 0);
  assert.deepEqual(
    [...rules].filter((rule) => !planted.has(rule)),
    [],
  );
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { loadConfig } from '../../src/runtime/config.ts';
import { runtimePages } from '../../src/runtime/runtime-pages.ts';
import { ALL_SETTINGS } from '../../src/runtime/settings.ts';

const PROJECT = join(import.meta.dirname, '../../..');

for (const [path, content] of Object.entries(runtimePages())) {
  test(`${path} is what the program says; if not: npm run generate`, () => {
    assert.equal(readFileSync(join(PROJECT, path), 'utf8'), content);
  });
}

test('every name of a setting is its own', () => {
  const names = ALL_SETTINGS.flatMap(({ key, flag, variable, setting }) => [
    key,
    flag,
    variable,
    ...setting.aliases.map(({ name }) => name),
    ...setting.keys.map(({ name }) => name),
  ]);
  assert.deepEqual(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
  );
});

test('every default is a value that its setting reads', () => {
  for (const { key, setting } of ALL_SETTINGS) {
    const shown = setting.show(setting.default);
    if (shown !== '') assert.deepEqual(setting.read(shown), setting.default, key);
  }
});

test('the example file with every line taken in is the default configuration', () => {
  const yaml = String(runtimePages()['config.example.yaml']).replaceAll(/^# ?(?=\s*[a-z0-9_]+:)/gm, '');
  assert(Object.keys(parse(yaml)).includes('engine'));
  const cwd = join(PROJECT, 'server');
  const argv = Object.entries(flatten(parse(yaml))).flatMap(([key, value]) => {
    const named = ALL_SETTINGS.find((one) => one.key === key);
    assert(named, key);
    return value === null ? [] : [`${named.flag}=${String(value)}`];
  });
  const { data_dir: _, ...config } = loadConfig({ argv, env: {}, cwd }).config;
  const { data_dir: __, ...defaults } = loadConfig({ env: {}, cwd }).config;
  assert.deepEqual(config, defaults);
});

function flatten(tree: object, above = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([name, value]): [string, unknown][] =>
      typeof value === 'object' && value !== null
        ? Object.entries(flatten(value, `${above}${name}.`))
        : [[`${above}${name}`, value]],
    ),
  );
}

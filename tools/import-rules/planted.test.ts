import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { foundMistakes, plantedMistakes } from '../planted.ts';
import { breaches } from './cruise.ts';
import { RULES } from './rules.ts';

const PLANTED = join(import.meta.dirname, 'planted');

test('each planted import breaks exactly the rule it names, and no other breaks any', async () => {
  const { breaches: found } = await breaches(PLANTED, ['server', 'client', 'simulator', 'bench']);
  assert.deepEqual(foundMistakes(found.map(({ from, rule }) => ({ file: from, rule }))), plantedMistakes(PLANTED));
});

test('each import rule has a planted mistake, a reason, and a name of its own', () => {
  const planted = new Set(plantedMistakes(PLANTED).map((mistake) => mistake.split(' ')[1]));
  const names = RULES.map((rule) => rule.name);
  assert.deepEqual(
    names.filter((name) => !planted.has(name)),
    [],
  );
  assert.deepEqual(
    RULES.filter((rule) => rule.comment.trim() === '').map((rule) => rule.name),
    [],
  );
  assert.equal(new Set(names).size, names.length);
});

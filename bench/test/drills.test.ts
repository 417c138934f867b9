import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILPOINTS } from '../../server/src/runtime/failpoints.ts';
import { CHAT_ROUNDS, CLOCK_FAILPOINTS, FAILPOINT_ROUNDS, KAFKA_FAILPOINTS } from '../drills/failpoint-rounds.ts';
import { seeded } from '../drills/random.ts';
import { WHATSAPP_ROUNDS } from '../drills/whatsapp-rounds.ts';

test('the drills kill and clock, and the tests of Kafka, visit every failpoint there is', () => {
  const visited: string[] = [...FAILPOINT_ROUNDS, ...WHATSAPP_ROUNDS, ...CHAT_ROUNDS].map(({ name }) => name);
  visited.push(...CLOCK_FAILPOINTS, ...KAFKA_FAILPOINTS);
  assert.deepEqual(visited.sort(), [...FAILPOINTS].sort());
});

test('a seed repeats its choices, another makes others', () => {
  const draw = (seed: number): number[] => {
    const random = seeded(seed);
    return Array.from({ length: 20 }, () => random.integer(1, 6));
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.ok(draw(7).every((value) => value >= 1 && value <= 6));
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createRounds, type RoundsOptions } from '../../src/runtime/rounds.ts';
import { until } from '../until.ts';

const LONG = 60_000;

interface Watch {
  /** Rounds that began. */
  begun: number;
  underWay: number;
  mostAtOnce: number;
  faults: unknown[];
}

/** Rounds that are counted, and stopped after the test. */
function watched(t: TestContext, options: Partial<RoundsOptions>) {
  const watch: Watch = { begun: 0, underWay: 0, mostAtOnce: 0, faults: [] };
  const rounds = createRounds({
    every: LONG,
    ...options,
    async round(ending) {
      watch.begun++;
      watch.mostAtOnce = Math.max(watch.mostAtOnce, ++watch.underWay);
      try {
        await options.round?.(ending);
      } finally {
        watch.underWay--;
      }
    },
    failed: (error) => void watch.faults.push(error),
  });
  t.after(rounds.stop);
  return { rounds, watch };
}

test('rounds come again and again, the first after a rest', async (t) => {
  const { rounds, watch } = watched(t, { every: 2, round: () => turn() });
  rounds.start();
  assert.equal(watch.begun, 0);
  await until('a few have come', () => watch.begun > 3);
  assert.equal(watch.mostAtOnce, 1);
  assert.deepEqual(watch.faults, []);
});

test('at once: the first comes with the start; a second start begins nothing', async (t) => {
  const { rounds, watch } = watched(t, { atOnce: true });
  rounds.start();
  rounds.start();
  assert.equal(watch.begun, 1);
  await turn();
  assert.equal(watch.begun, 1);
});

test('a wake ends the rest: before the first round, and between rounds', async (t) => {
  const { rounds, watch } = watched(t, {});
  rounds.start();
  rounds.wake();
  await turn();
  assert.equal(watch.begun, 1);
  rounds.wake();
  await turn();
  assert.equal(watch.begun, 2);
});

test('wakes before the start let the first round come with it', async (t) => {
  const { rounds, watch } = watched(t, {});
  rounds.wake();
  assert.equal(watch.begun, 0);
  rounds.start();
  await turn();
  assert.equal(watch.begun, 1);
});

test('wakes during a round make one more, after it', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { rounds, watch } = watched(t, { atOnce: true, round: () => gate.promise });
  rounds.start();
  rounds.wake();
  rounds.wake();
  await turn();
  assert.equal(watch.begun, 1);
  gate.resolve();
  await turn();
  assert.equal(watch.begun, 2);
  assert.equal(watch.mostAtOnce, 1);
});

test('a round that throws is told of, and the next one still comes', async (t) => {
  const fault = new Error('away');
  const { rounds, watch } = watched(t, {
    every: 2,
    round: async () => {
      if (watch.begun < 3) throw fault;
    },
  });
  rounds.start();
  await until('it goes on', () => watch.begun > 4);
  assert.deepEqual(watch.faults, [fault, fault]);
});

test('a round that throws before it gives a promise is told of too', async (t) => {
  const faults: unknown[] = [];
  const rounds = createRounds({
    every: LONG,
    atOnce: true,
    round: () => {
      throw new Error('at once');
    },
    failed: (error) => void faults.push(error),
  });
  t.after(rounds.stop);
  rounds.start();
  rounds.wake();
  await turn();
  assert.match(String(faults), /^Error: at once,Error: at once$/);
});

test('a round that wakes the next one and fails rests all the same, until it is woken', async (t) => {
  const { rounds, watch } = watched(t, {
    atOnce: true,
    round: async () => {
      rounds.wake();
      throw new Error('away');
    },
  });
  rounds.start();
  await turn();
  assert.equal(watch.begun, 1);
  rounds.wake();
  await turn();
  assert.equal(watch.begun, 2);
});

test('a stop waits for the round that is running and tells it; no other comes', async (t) => {
  const gate = Promise.withResolvers<void>();
  let told: AbortSignal | undefined;
  const { rounds, watch } = watched(t, {
    atOnce: true,
    round: (ending) => {
      told = ending;
      return gate.promise;
    },
  });
  rounds.start();
  assert.equal(told?.aborted, false);
  let stopped = 0;
  const stopping = [rounds.stop(), rounds.stop()].map((one) => one.then(() => void stopped++));
  rounds.wake();
  await turn();
  assert.equal(told?.aborted, true);
  assert.equal(stopped, 0);
  gate.resolve();
  await Promise.all(stopping);
  rounds.wake();
  rounds.start();
  await turn();
  assert.equal(watch.begun, 1);
});

test('a stop waits for no rest: not for the first, nor for one between rounds, nor for that of a round that fails', async (t) => {
  const first = watched(t, {});
  first.rounds.start();
  await first.rounds.stop();
  assert.equal(first.watch.begun, 0);

  const between = watched(t, { atOnce: true });
  between.rounds.start();
  await turn();
  await between.rounds.stop();
  assert.equal(between.watch.begun, 1);

  const gate = Promise.withResolvers<void>();
  const failing = watched(t, { atOnce: true, round: () => gate.promise });
  failing.rounds.start();
  const stopping = failing.rounds.stop();
  gate.reject(new Error('away'));
  await stopping;
  assert.equal(failing.watch.faults.length, 1);
});

test('stopped before the start, they never begin', async (t) => {
  const { rounds, watch } = watched(t, { atOnce: true });
  await rounds.stop();
  rounds.start();
  rounds.wake();
  await turn();
  assert.equal(watch.begun, 0);
  await rounds.stop();
});

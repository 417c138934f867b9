import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Part, type PartEvent, part, startAll } from '../../src/runtime/lifecycle.ts';

/** Parts that write what happens to them into one list. */
function recorder() {
  const log: string[] = [];
  const make = (name: string, { start = async () => {}, stop = async () => {} }: Partial<Part> = {}) =>
    part(
      name,
      async () => {
        log.push(`${name} starts`);
        await start();
      },
      async () => {
        log.push(`${name} stops`);
        await stop();
      },
    );
  return { log, make };
}

const never = () => new Promise<void>(() => {});

describe('startAll', () => {
  test('starts in order, stops in reverse, once', async () => {
    const { log, make } = recorder();
    const running = await startAll([make('a'), make('b')]);
    assert.deepEqual(await running.stop(), []);
    await running.stop();
    assert.deepEqual(log, ['a starts', 'b starts', 'b stops', 'a stops']);
  });

  test('a start that fails stops it and those before it, and its error is thrown', async () => {
    const { log, make } = recorder();
    const events: PartEvent[] = [];
    const fault = new Error('no');
    const failing = make('b', { start: () => Promise.reject(fault) });
    const observe = (event: PartEvent) => {
      events.push(event);
    };
    await assert.rejects(startAll([make('a'), failing, make('c')], { observe }), fault);
    assert.deepEqual(log, ['a starts', 'b starts', 'b stops', 'a stops']);
    assert.deepEqual(
      events.map(({ part: name, event }) => `${name} ${event}`),
      ['a started', 'b start_failed', 'b stopped', 'a stopped'],
    );
  });

  test('an abort during the start lets no further part start', async () => {
    const { log, make } = recorder();
    const control = new AbortController();
    const reason = new Error('SIGTERM');
    const aborting = make('a', { start: async () => control.abort(reason) });
    await assert.rejects(startAll([aborting, make('b')], { signal: control.signal }), reason);
    assert.deepEqual(log, ['a starts', 'a stops']);
  });

  test('a stop that fails or hangs does not keep the others from stopping', async () => {
    const { log, make } = recorder();
    const parts = [
      make('a'),
      make('b', { stop: () => Promise.reject(new Error('broken')) }),
      make('c', { stop: never }),
    ];
    const running = await startAll(parts, { stopEach: 20 });
    const faults = await running.stop();
    assert.deepEqual(
      faults.map(({ part: name, event }) => `${name} ${event}`),
      ['c stop_overdue', 'b stop_failed'],
    );
    assert.equal(log.at(-1), 'a stops');
  });

  test('all stops together keep to their time', async () => {
    const { make } = recorder();
    const parts = ['a', 'b', 'c'].map((name) => make(name, { stop: never }));
    const running = await startAll(parts, { stopEach: 60_000, stopTotal: 50 });
    const since = performance.now();
    assert.equal((await running.stop()).length, 3);
    assert(performance.now() - since < 5000);
  });
});

describe('part', () => {
  test('stop before start: nothing runs, and it never starts', async () => {
    const { log, make } = recorder();
    const one = make('a');
    await one.stop();
    await one.stop();
    await assert.rejects(one.start(), /a was stopped before it started/);
    assert.deepEqual(log, []);
  });

  test('start twice starts once', async () => {
    const { log, make } = recorder();
    const one = make('a');
    await Promise.all([one.start(), one.start()]);
    assert.deepEqual(log, ['a starts']);
  });

  test('stop during start waits for it', async () => {
    const { log, make } = recorder();
    const { promise, resolve } = Promise.withResolvers<void>();
    const one = make('a', {
      start: async () => {
        await promise;
        log.push('a runs');
      },
    });
    const starting = one.start();
    const stopping = one.stop();
    resolve();
    await Promise.all([starting, stopping]);
    assert.deepEqual(log, ['a starts', 'a runs', 'a stops']);
  });
});

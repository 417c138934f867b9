import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatcherFull } from '../../src/db/batcher.ts';
import { createTurns } from '../../src/db/turns.ts';

/** Work that ends when it is told to, and tells when it begins. */
function gated() {
  const began: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<string>>();
  const work = (name: string) => () => {
    const gate = Promise.withResolvers<string>();
    began.push(name);
    gates.set(name, gate);
    return gate.promise;
  };
  return {
    began,
    work,
    end: (name: string) => gates.get(name)?.resolve(name),
    fail: (name: string) => gates.get(name)?.reject(new Error(name)),
  };
}

test('what is under one key goes one after the other in the order of its coming, the rest beside it', async () => {
  const { began, work, end } = gated();
  const turns = createTurns(10);
  const first = [turns.take('a', work('a1')), turns.take('a', work('a2')), turns.take('a', work('a3'))];
  const other = turns.take('b', work('b1'));
  assert.deepEqual(began, ['a1', 'b1']);
  end('b1');
  assert.equal(await other, 'b1');
  assert.deepEqual(began, ['a1', 'b1']);
  for (const name of ['a1', 'a2', 'a3']) {
    assert.equal(began.filter((one) => one.startsWith('a')).at(-1), name);
    end(name);
    assert.equal(await first.shift(), name);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(began, ['a1', 'b1', 'a2', 'a3']);
});

test('what fails keeps nobody from his turn', async () => {
  const { work, end, fail } = gated();
  const turns = createTurns(10);
  const [one, two] = [turns.take('a', work('one')), turns.take('a', work('two'))];
  fail('one');
  await assert.rejects(one, /one/);
  await new Promise((resolve) => setImmediate(resolve));
  end('two');
  assert.equal(await two, 'two');
});

test('more than may wait are refused, and whoever has nobody before him is not', async () => {
  const { began, work, end } = gated();
  const turns = createTurns(2);
  const all = ['one', 'two', 'three'].map((name) => turns.take('a', work(name)));
  await assert.rejects(turns.take('a', work('four')), BatcherFull);
  const beside = turns.take('b', work('beside'));
  end('beside');
  await beside;
  for (const [i, name] of ['one', 'two', 'three'].entries()) {
    end(name);
    assert.equal(await all[i], name);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const again = turns.take('a', work('again'));
  assert.deepEqual(began, ['one', 'beside', 'two', 'three', 'again']);
  end('again');
  await again;
});

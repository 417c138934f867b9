import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import {
  armFailpoints,
  FAILPOINTS,
  FailpointError,
  failpoint,
  parseFailpoint,
  showFailpoint,
} from '../../src/runtime/failpoints.ts';

afterEach(() => armFailpoints([]));

test('unarmed, nothing happens at any', () => {
  for (const name of FAILPOINTS) assert.equal(failpoint(name), undefined);
});

test('rules are read, shown, and refused with what would be right', () => {
  for (const rule of ['settle.before_commit=kill@3', 'renew.before=error', 'call.after_write=delay:500ms@2']) {
    assert.equal(showFailpoint(parseFailpoint(rule)), rule);
  }
  assert.deepEqual(parseFailpoint('doubt.after_commit=delay:2s').action, { kind: 'delay', ms: 2000 });
  assert.throws(() => parseFailpoint('renew.before'), { message: /is not NAME=kill, NAME=error or NAME=delay:500ms/ });
  assert.throws(() => parseFailpoint('renew.before=kill@0'), RangeError);
  assert.throws(() => parseFailpoint('renew.after=kill'), {
    message: /"renew.after" is no failpoint; there are accept/,
  });
});

test('error: at the numbered passage only, or at each', () => {
  armFailpoints([parseFailpoint('renew.before=error@2')]);
  assert.equal(failpoint('renew.before'), undefined);
  assert.throws(() => failpoint('renew.before'), FailpointError);
  assert.equal(failpoint('renew.before'), undefined);
  assert.equal(failpoint('takeover.after'), undefined);
  armFailpoints([parseFailpoint('renew.before=error')]);
  assert.throws(() => failpoint('renew.before'), FailpointError);
  assert.throws(() => failpoint('renew.before'), FailpointError);
});

test('delay: what awaits it waits', async () => {
  armFailpoints([parseFailpoint('renew.before=delay:30ms')]);
  const since = performance.now();
  await failpoint('renew.before');
  assert(performance.now() - since >= 29);
});

test('kill: the process is gone at once, and has said why', async () => {
  const module = join(import.meta.dirname, '../../src/runtime/failpoints.ts');
  const program = `
    import { armFailpoints, failpoint, parseFailpoint } from ${JSON.stringify(module)};
    armFailpoints([parseFailpoint('accept.after_commit=kill@3')]);
    for (let i = 1; i <= 5; i++) { process.stdout.write(String(i)); failpoint('accept.after_commit'); }
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.deepEqual(
    { out, err, code, signal },
    {
      out: '123',
      err: 'failpoint accept.after_commit hit\n',
      code: null,
      signal: 'SIGKILL',
    },
  );
});

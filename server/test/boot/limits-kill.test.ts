import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, dataFolder, startProgram } from './program.ts';

const QUOTA = 40;

test('a quota is exact over kills between the steps of accepting', { timeout: 60_000 }, async (t) => {
  const folder = dataFolder(t);
  const env = { ALDIS_LIMITS_MONTHLY_QUOTA: String(QUOTA), ALDIS_SIMULATOR_ENABLED: 'true' };
  const accepted = new Set<string>();
  let key = 0;

  /** Sends `count` messages at once, each under a key of its own, and those again that had no answer. */
  async function send(keys: readonly number[]): Promise<{ unanswered: number[]; refused: number }> {
    const { url, api_key } = credentials(folder);
    const unanswered: number[] = [];
    let refused = 0;
    await Promise.all(
      keys.map(async (one) => {
        const answer = await fetch(`${url}/api/v1/messages`, {
          method: 'POST',
          headers: { 'x-api-key': api_key, 'content-type': 'application/json', 'idempotency-key': `k${one}` },
          body: JSON.stringify({ to: `+62812000${1000 + one}`, content: { text: 'Hi' } }),
        }).catch(() => null);
        if (answer?.status === 202) accepted.add(((await answer.json()) as { id: string }).id);
        else if (answer?.status === 429) refused++;
        else unanswered.push(one);
      }),
    );
    return { unanswered, refused };
  }
  const some = (count: number) => Array.from({ length: count }, () => key++);

  let open: number[] = [];
  for (const place of ['accept.before_commit', 'accept.after_commit']) {
    const program = startProgram(t, folder, { ...env, ALDIS_FAILPOINTS: `${place}=kill@3` });
    await program.ready;
    // One after the other, so that the third commit is the one that is cut.
    let cut: number[] = [];
    while (cut.length === 0) cut = (await send([...open, ...some(5)])).unanswered;
    assert.equal((await program.ended).signal, 'SIGKILL');
    open = cut;
  }
  const program = startProgram(t, folder, env);
  await program.ready;
  const { unanswered } = await send(open);
  assert.deepEqual(unanswered, []);
  // All that is left, and not one more.
  const { refused } = await send(some(60));
  assert.ok(refused > 0);
  assert.equal(accepted.size, QUOTA);
  program.kill('SIGTERM');
  await program.ended;
});

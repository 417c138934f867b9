import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPauses, type Trouble } from '../../src/actions/pauses.ts';
import { newId } from '../../src/domain/ids.ts';
import type { TenantWorld } from '../engine-world.ts';
import type { Answer, Customer } from './door-world.ts';
import { type OperatorWorld, operatorWorld } from './operator.ts';

let stage: OperatorWorld;
let mine: Customer;
let others: Customer;
before(async () => {
  stage = await operatorWorld();
  mine = await stage.world.customer();
  others = await stage.world.customer();
  await stage.world.db.script(`update senders set account_id = '777' where id = '${others.sender}'`);
});
after(() => stage.world.close());

const trouble = ({ tenant, sender }: TenantWorld, change: Partial<Trouble>): Trouble => ({
  ...{
    tenant,
    sender,
    scope: 'sender',
    cause: 'token_invalid',
    code: 190,
    title: 'told',
    detail: 'why',
    country: null,
  },
  ...change,
});
const open = (...troubles: Trouble[]) => openPauses(stage.world.db, stage.world.signals, troubles, () => 1);

type PauseView = Record<string, unknown> & { id: string; scope: string };
const pausesOf = ({ status, body }: Answer) => {
  assert.equal(status, 200, body.message);
  return (body as unknown as { pauses: PauseView[] }).pauses;
};
const scopes = (answer: Answer) =>
  pausesOf(answer)
    .map(({ scope }) => scope)
    .toSorted();

async function remove(customer: Customer, id: string): Promise<{ status: number; error: string | undefined }> {
  const response = await fetch(`${stage.world.url}/api/v1/pauses/${id}`, {
    method: 'DELETE',
    headers: { 'x-api-key': customer.key },
  });
  const { error } = (await response.json()) as { error?: string };
  return { status: response.status, error };
}

test('who sees and ends which pauses', async (t) => {
  t.after(() => stage.world.db.script('delete from pauses'));
  await open(
    trouble(mine, {}),
    trouble(mine, { scope: 'country', cause: 'country_restricted', code: 130497, country: 'ID' }),
    trouble(others, { scope: 'account', cause: 'payment_trouble', code: 131042 }),
    trouble(others, { scope: 'app', cause: 'call_rate', code: 4 }),
  );
  assert.deepEqual(scopes(await stage.operator.ask('GET', '/pauses')), ['account', 'app', 'country', 'sender']);
  assert.deepEqual(scopes(await stage.operator.ask('GET', `/pauses?tenant_id=${mine.tenant}`)), [
    'app',
    'country',
    'sender',
  ]);
  const seen = await mine.get('/api/v1/pauses');
  assert.deepEqual(scopes(seen), ['app', 'country', 'sender']);
  assert.deepEqual(scopes(await others.get('/api/v1/pauses')), ['account', 'app']);

  const of = (scope: string) => pausesOf(seen).find((pause) => pause.scope === scope) as PauseView;
  const { id, opened_at, probe_at, ...rest } = of('sender');
  assert.deepEqual(rest, {
    tenant_id: mine.tenant,
    scope: 'sender',
    sender_id: mine.sender,
    app: null,
    account_id: null,
    country: null,
    cause: 'token_invalid',
    code: 190,
    title: 'told',
    detail: 'why',
    advice: 'Give the sender or its account a new access token.',
    probes: 0,
  });
  assert.ok(Date.parse(String(probe_at)) - Date.parse(String(opened_at)) > 500_000);
  const { app, account_id, country } = of('country');
  assert.deepEqual([app, account_id, country], ['default', '1', 'ID']);

  assert.deepEqual(await remove(mine, of('app').id), { status: 403, error: 'forbidden' });
  const [account] = pausesOf(await others.get('/api/v1/pauses')).filter(({ scope }) => scope === 'account');
  assert.deepEqual(await remove(mine, account?.id ?? ''), { status: 404, error: 'not_found' });
  assert.deepEqual(await remove(mine, id), { status: 200, error: undefined });
  assert.deepEqual(await remove(mine, id), { status: 404, error: 'not_found' });
  assert.equal((await stage.operator.ask('DELETE', `/pauses/${of('app').id}`)).status, 200);
  assert.deepEqual(scopes(await mine.get('/api/v1/pauses')), ['country']);
});

test('a list of pauses has pages', async (t) => {
  t.after(() => stage.world.db.script('delete from pauses'));
  for (const cause of ['token_invalid', 'permission_missing', 'restricted'] as const)
    await open(trouble(mine, { cause }));
  const first = await mine.get('/api/v1/pauses?limit=2');
  const next = await mine.get(`/api/v1/pauses?limit=2&cursor=${first.body.next_cursor}`);
  assert.deepEqual(
    [...pausesOf(first), ...pausesOf(next)].map(({ cause }) => cause),
    ['restricted', 'permission_missing', 'token_invalid'],
  );
  assert.equal(next.body.next_cursor, null);
});

test('a pause that is told of again waits longer only when a probe was due', async (t) => {
  t.after(() => stage.world.db.script('delete from pauses'));
  const told = trouble(mine, { cause: 'permission_missing', code: 10 });
  const waits = async () => {
    const [pause] = pausesOf(await mine.get('/api/v1/pauses'));
    return [pause?.['probes'], Math.round((Date.parse(String(pause?.['probe_at'])) - Date.now()) / 10_000)];
  };
  const probeDue = () => stage.world.db.script('update pauses set probe_at = clock_timestamp()');
  await open(told, told);
  assert.deepEqual(await waits(), [0, 6]);
  await open({ ...told, title: 'again' });
  assert.deepEqual(await waits(), [0, 6]);
  for (const expected of [
    [1, 12],
    [2, 24],
    [3, 48],
    [4, 60],
    [5, 60],
  ]) {
    await probeDue();
    await open(told);
    assert.deepEqual(await waits(), expected);
  }
});

test('bad questions about pauses are refused', async () => {
  for (const [path, error] of [
    ['?limit=0', 'invalid_field'],
    ['?limit=101', 'limit_too_large'],
    ['?cursor=x', 'invalid_cursor'],
    ['?state=open', 'unknown_field'],
  ] as const) {
    const answer = await mine.get(`/api/v1/pauses${path}`);
    assert.equal(answer.status, 400, path);
    assert.equal(answer.body.error, error, path);
  }
  assert.equal((await mine.get(`/api/v1/pauses?tenant_id=${others.tenant}`)).status, 403);
  assert.equal((await remove(mine, 'no-uuid')).status, 404);
  assert.equal((await remove(mine, newId())).status, 404);
});

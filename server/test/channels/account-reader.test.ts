import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { accountReader } from '../../src/channels/whatsapp/account-reader.ts';
import type { AccountAnswer, AccountAsk, AccountFacts } from '../../src/domain/account.ts';
import { type GraphServer, graphServer, refusal } from '../graph-server.ts';

const ID = '102290129340398';

async function stage(
  t: TestContext,
): Promise<{ graph: GraphServer; read(change?: Partial<AccountAsk>): Promise<AccountAnswer> }> {
  const graph = await graphServer(t);
  graph.accounts.set(ID, {
    name: 'Lucky Shrub',
    owner_business_info: { id: '506914307656634', name: 'Lucky' },
    account_review_status: 'APPROVED',
    apps: [],
    numbers: [
      {
        id: '106540352242922',
        display_phone_number: '+1 555-078-3881',
        verified_name: 'Lucky Shrub',
        name_status: 'APPROVED',
        quality_rating: 'GREEN',
        throughput: { level: 'HIGH' },
        is_on_biz_app: false,
        status: 'CONNECTED',
        whatsapp_business_manager_messaging_limit: 'TIER_2K',
      },
      {
        id: '106540352242923',
        display_phone_number: '+1 555-078-3882',
        is_on_biz_app: true,
        throughput: { level: 'STANDARD' },
      },
      {
        id: '106540352242924',
        display_phone_number: 'none',
        status: 'MIGRATED',
        throughput: { level: 'NOT_APPLICABLE' },
      },
    ],
  });
  const reader = accountReader({ origin: graph.origin, version: 'v26.0', timeout: 2000 });
  const ask: AccountAsk = {
    id: ID,
    access_token: 'good',
    app: { meta_id: null, secret: null },
    subscribe_wanted: true,
    subscribed: null,
  };
  return { graph, read: (change) => reader.read({ ...ask, ...change }) };
}

function factsOf(answer: AccountAnswer): AccountFacts {
  if (answer.kind !== 'read') assert.fail(JSON.stringify(answer));
  return answer.facts;
}

test('an account is read with its numbers, whatever it does not tell of them', async (t) => {
  const { graph, read } = await stage(t);
  graph.page = 2;
  const facts = factsOf(await read());
  assert.deepEqual(
    { ...facts, numbers: [] },
    {
      name: 'Lucky Shrub',
      portfolio_id: '506914307656634',
      review_status: 'APPROVED',
      messaging_limit: 'TIER_2K',
      subscribed: true,
      subscribe_detail: null,
      token_expires_at: 'unknown',
      numbers: [],
    },
  );
  assert.deepEqual(
    facts.numbers.map(({ phone, throughput, quality, gone }) => [phone, throughput, quality, gone]),
    [
      ['+15550783881', 'HIGH', 'GREEN', false],
      ['+15550783882', 'COEXISTENCE', null, false],
      [null, null, null, true],
    ],
  );
  assert.deepEqual(
    graph.asked.map(({ what }) => what),
    [
      `GET /${ID}`,
      `GET /${ID}/phone_numbers`,
      `GET /${ID}/phone_numbers`,
      `GET /${ID}/subscribed_apps`,
      `POST /${ID}/subscribed_apps`,
    ],
  );
});

test('webhooks of an account are let come and let go, by the id of the app or by what was done before', async (t) => {
  const { graph, read } = await stage(t);
  const account = graph.accounts.get(ID);
  assert.ok(account);
  account.apps = ['999'];
  const app = { meta_id: graph.app.id, secret: null };
  assert.equal(factsOf(await read({ app })).subscribed, true);
  assert.deepEqual(account.apps, ['999', graph.app.id]);
  graph.asked.length = 0;
  assert.equal(factsOf(await read({ app })).subscribed, true);
  assert.equal(graph.asked.filter(({ what }) => what.startsWith('POST')).length, 0, 'once is enough');
  assert.equal(factsOf(await read({ app, subscribe_wanted: false })).subscribed, false);
  assert.deepEqual(account.apps, ['999']);
  // Without the id of the app, another one in the list proves nothing until it was done here.
  assert.equal(factsOf(await read()).subscribed, true);
  assert.deepEqual(account.apps, ['999', graph.app.id]);
  assert.equal(factsOf(await read({ subscribe_wanted: false, subscribed: true })).subscribed, false);
  graph.instead = (what) => (what.endsWith('subscribed_apps') ? refusal(200) : undefined);
  const facts = factsOf(await read());
  assert.equal(facts.subscribed, null);
  assert.match(facts.subscribe_detail ?? '', /grant it whatsapp_business_management \(error 200\)/);
});

test('an app that is known asks until when the token is good; nobody else can', async (t) => {
  const { graph, read } = await stage(t);
  graph.tokens.set('short', 1_900_000_000);
  const app = { meta_id: graph.app.id, secret: graph.app.secret };
  assert.deepEqual(factsOf(await read({ app, access_token: 'short' })).token_expires_at, new Date(1_900_000_000_000));
  assert.equal(factsOf(await read({ app })).token_expires_at, null);
  assert.equal(factsOf(await read({ app: { ...app, secret: 'wrong' } })).token_expires_at, 'unknown');
  graph.instead = (what) =>
    what.includes('debug') ? { status: 200, body: { data: { expires_at: 1e300 } } } : undefined;
  assert.equal(factsOf(await read({ app })).token_expires_at, 'unknown');
});

test('errors are told apart: the token, too many questions, and what says nothing', async (t) => {
  const { graph, read } = await stage(t);
  const kinds: [number, string][] = [
    [190, 'refused'],
    [0, 'refused'],
    [10, 'refused'],
    [200, 'refused'],
    [100, 'refused'],
    [368, 'refused'],
    [4, 'throttled'],
    [80007, 'throttled'],
    [1, 'unknown'],
    [2, 'unknown'],
  ];
  for (const [code, kind] of kinds) {
    graph.instead = () => refusal(code);
    const answer = await read();
    assert.equal(answer.kind, kind, String(code));
    assert.match((answer as { detail: string }).detail, new RegExp(`\\(error ${code}\\)`));
  }
  for (const body of [null, [], 'text', { data: 1 }, { error: { code: 'x' } }]) {
    graph.instead = (what) => (what.endsWith('phone_numbers') ? { status: 200, body } : undefined);
    assert.equal((await read()).kind, 'unknown', JSON.stringify(body));
  }
  graph.instead = () => ({ status: 502, body: '<html>' });
  assert.deepEqual(await read(), { kind: 'unknown', detail: 'HTTP 502 without an answer of the Graph API' });
  const away = accountReader({ origin: 'http://127.0.0.1:9', version: 'v26.0', timeout: 500 });
  const lost = await away.read({
    id: ID,
    access_token: 'a secret token',
    app: { meta_id: null, secret: null },
    subscribe_wanted: true,
    subscribed: null,
  });
  assert.equal(lost.kind, 'unknown');
  assert.doesNotMatch(JSON.stringify(lost), /a secret token/);
});

test('a field that this version of the API does not know is left out; a list without an end ends', async (t) => {
  const { graph, read } = await stage(t);
  const unknown = '(#100) Tried accessing nonexisting field (is_on_biz_app) on node type (WhatsAppBusinessPhoneNumber)';
  graph.instead = (what) => {
    const last = graph.asked.at(-1);
    return what.endsWith('phone_numbers') && last?.query.get('fields')?.includes('is_on_biz_app')
      ? refusal(100, unknown)
      : undefined;
  };
  assert.equal(factsOf(await read()).numbers.length, 3);
  const data = [{ id: '1065403522429', display_phone_number: '+1 555' }];
  const paging = { next: 'http://169.254.169.254/steal', cursors: { after: 'again' } };
  graph.asked.length = 0;
  graph.instead = (what) => (what.endsWith('phone_numbers') ? { status: 200, body: { data, paging } } : undefined);
  assert.equal(factsOf(await read()).numbers.length, 1);
  assert.equal(graph.asked.filter(({ what }) => what.endsWith('phone_numbers')).length, 20);
});

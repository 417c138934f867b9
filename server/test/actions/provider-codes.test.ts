import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { readAnswer } from '../../src/channels/whatsapp/answer.ts';
import { readWebhook } from '../../src/channels/whatsapp/webhook.ts';
import { knownCodes } from '../../src/domain/provider-errors.ts';
import { type EngineWorld, engineWorld, RULES, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

/*
 * Every code of the provider's table, told by the answer to a send and by a receipt, from the provider's words to the row. What
 * follows each is written down here once more, so that a slip in the table is seen.
 */

let world: EngineWorld;
let own: TenantWorld;
before(async () => {
  world = await engineWorld();
  own = await world.tenant();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

/** Milliseconds until the second attempt with a random number of 0.5; none: the message fails at once. */
const FOLLOWS: readonly [what: string, delay: number | null, codes: readonly number[]][] = [
  ['another attempt soon', 500, [1, 2, 131000, 131016, 131052, 131053, 131055, 131208, 133004, 134101]],
  ['another attempt soon, and slower', 500, [4, 80007, 130429, 131057, 132069]],
  ['another attempt to that person after 4 s', 4000, [131056]],
  [
    'it waits for a person',
    45_000,
    [0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131044, 131045, 131048, 131064, 132015, 133010],
  ],
  [
    'it fails',
    null,
    [
      100, 130403, 130472, 130497, 131008, 131009, 131020, 131021, 131026, 131030, 131041, 131047, 131049, 131050,
      131051, 131059, 131062, 131063, 132000, 132001, 132005, 132007, 132008, 132012, 132016, 132018, 132068, 133000,
      133005, 133006, 133008, 133009, 133015, 133016, 134100, 134102, 135000, 137000,
    ],
  ],
];

test('no code of the table is left out here', () => {
  const told = FOLLOWS.flatMap(([, , codes]) => codes);
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    knownCodes().toSorted((a, b) => a - b),
  );
});

function delayAfter(code: number): number | null {
  const found = FOLLOWS.find(([, , codes]) => codes.includes(code));
  assert.ok(found, `what follows ${code}?`);
  return found[1];
}

/** The answer of the Graph API, as the channel reads it. */
function answered(code: number) {
  const error = { message: `(#${code}) told`, type: 'OAuthException', code, error_data: { details: 'why' } };
  return readAnswer({ status: 400, headers: {}, body: JSON.stringify({ error }) });
}

/** The receipt of a webhook that says so of an attempt, as the channel reads it. */
async function received(send: BegunSend, wamid: string, code: number): Promise<void> {
  const timestamp = String(Math.floor(send.started_at / 1000) + 2);
  const errors = [{ code, title: 'told', error_data: { details: 'why' } }];
  const metadata = { display_phone_number: '1', phone_number_id: own.phoneNumberId };
  const value = { metadata, statuses: [{ id: wamid, status: 'failed', timestamp, recipient_id: '1', errors }] };
  const body = { entry: [{ id: '1', changes: [{ field: 'messages', value }] }] };
  const [item] = readWebhook(Buffer.from(JSON.stringify(body)));
  assert.ok(item?.kind === 'status' && item.status === 'failed', JSON.stringify(item));
  const { error } = item;
  assert.ok(error);
  const failed = {
    tenant: send.tenant_id,
    sender: send.sender_id,
    message: send.message_id,
    wamid: item.wamid,
    attempt: send.attempt,
    at: item.at,
    ...error,
  };
  await applyReceipts(world.db, world.signals, { receipts: [], failed: [failed], doneWork: [] }, RULES);
}

/** The message is as the code wants it; the delay counts from a moment between the two. */
async function assertFollowed(send: BegunSend, code: number, delay: number | null, from: number): Promise<void> {
  const { state, error, due_at, attempt } = await own.read(send.message_id);
  if (delay === null) {
    assert.deepEqual([state, error?.code, error?.detail], ['failed', code, 'why']);
    return;
  }
  assert.deepEqual([state, attempt], ['queued', 1]);
  const due = due_at?.getTime() ?? 0;
  assert.ok(due >= from + delay - 100 && due <= Date.now() + delay + 100, `${due - from} ms instead of ${delay}`);
}

async function byAnswer(code: number, delay: number | null): Promise<void> {
  const send = await own.sending();
  const from = Date.now();
  await own.settler(() => 0.5).settle(send, answered(code));
  await assertFollowed(send, code, delay, from);
}

async function byReceipt(code: number, delay: number | null): Promise<void> {
  const send = await own.sending();
  const wamid = `wamid.${send.message_id}`;
  await own.settle(send, { kind: 'sent', wamid });
  const from = Date.now();
  await received(send, wamid, code);
  await assertFollowed(send, code, delay, from);
}

for (const code of knownCodes()) {
  test(`told by an answer and by a receipt, ${code} is followed by what its class says [code ${code}]`, async () => {
    await byAnswer(code, delayAfter(code));
    await byReceipt(code, delayAfter(code));
  });
}

test('a missing permission waits for a person, whatever its number [code 200-299]', async () => {
  for (const code of [200, 217, 299]) {
    await byAnswer(code, 45_000);
    await byReceipt(code, 45_000);
  }
});

test('what is said of groups ends the message, whatever its number [code 131200-131299]', async () => {
  for (const code of [131_200, 131_215, 131_299]) {
    await byAnswer(code, null);
    await byReceipt(code, null);
  }
});

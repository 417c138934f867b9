import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createAcceptor } from '../../src/actions/accept-messages.ts';
import { applyReceipts } from '../../src/actions/apply-receipts.ts';
import type { BegunSend } from '../../src/actions/begin-sends.ts';
import { cancelMessage, rescheduleMessage, retryMessage } from '../../src/actions/change-message.ts';
import { giveConsents } from '../../src/actions/consent.ts';
import { expireMessages } from '../../src/actions/expire-messages.ts';
import { holdLanes, letLanesGo } from '../../src/actions/hold-lanes.ts';
import { createRedrives, stepRedrives } from '../../src/actions/redrives.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import { setUp } from '../../src/actions/set-up.ts';
import { createSettler } from '../../src/actions/settle-sends.ts';
import { settleTemplateHolds } from '../../src/actions/template-holds.ts';
import {
  type InstanceId,
  type MessageId,
  newId,
  type SenderId,
  type TemplateId,
  type TenantId,
} from '../../src/domain/ids.ts';
import type { LaneClaim } from '../../src/domain/lane.ts';
import { NO_CAPS } from '../../src/domain/limits.ts';
import { type Category, STATES, type State } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { recordSenderEvidence } from '../../src/store/doubt.write.ts';
import { findMessage } from '../../src/store/messages.read.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { beginDue } from '../engine-world.ts';

/*
 * Holds docs/states.md against the program by doing: every action is tried on a message in every state, and what that
 * changes must be the page's table, row by row, with nothing missing on either side.
 */

const PAGE = readFileSync(new URL('../../../docs/states.md', import.meta.url), 'utf8');
const RETRY = { base: 0, cap: 0 };
const RULES = { retry: RETRY, maxAttempts: null, validity: 86_400_000, slot: 0 };
const GRACE = 60_000;
/** Of the provider's table: never again, and later again. */
const NEVER = 131026;
const LATER = 131016;
/** The customer's window is closed: the fallback goes instead. */
const CLOSED = 131047;
/** The template is paused. */
const PAUSED = 132015;

const signals = memorySignals();
let database: TestDatabase;
let tenant: TenantId;
let sender: SenderId;
let claim: LaneClaim;

before(async () => {
  database = await testDatabase();
  const installation = await setUp(database.db, {
    sealer: createSealer([{ version: 1, key: randomBytes(32) }]),
    apiKey: null,
    operatorKey: null,
    appSecret: null,
    verifyToken: null,
    numbers: [
      {
        phoneNumberId: '100000',
        accountId: '200000',
        portfolio: '300000',
        phone: '+6281200000000',
        accessToken: 'token',
        messagesPerSecond: 80,
      },
    ],
  });
  tenant = installation.tenant;
  sender = installation.senders[0]?.id as SenderId;
  claim = await takeLanes();
});

after(() => database.drop());

/** A new instance takes the lanes. */
async function takeLanes(): Promise<LaneClaim> {
  const instance = newId<InstanceId>();
  const { lanes } = await holdLanes(database.db, instance, { lease: 600_000, grace: GRACE, description: 'test' });
  return { instance, lanes: lanes.map(({ id }) => id), epochs: lanes.map(({ epoch }) => epoch) };
}

/** One message, on which steps are made. */
interface Subject {
  id: MessageId;
  /** Its last attempt. */
  send: BegunSend | null;
}

type Step = (subject: Subject) => Promise<unknown>;

const begin: Step = async (subject) => {
  const asks = claim.lanes.map((lane) => ({ lane, sender }));
  const begun = await beginDue(database.db, claim, asks);
  subject.send = begun.find((send) => send.message_id === subject.id) ?? subject.send;
};

/** The call of the last attempt comes to an end. */
function answered(outcome: Outcome): Step {
  return async ({ send }) => {
    assert(send);
    const settler = createSettler({
      db: database.db,
      signals,
      owner: () => claim,
      retry: RETRY,
      slot: 0,
      maxAttempts: null,
      validity: 3_600_000,
    });
    await settler.settle(send, outcome);
  };
}

function told(status: Receipt['status'] | 'failed', code = 0): Step {
  return ({ id, send }) => {
    assert(send);
    const named = { tenant, sender, message: id, wamid: `wamid.${id}`, attempt: send.attempt, at: Date.now() };
    const batch =
      status === 'failed'
        ? { receipts: [], failed: [{ ...named, code, title: 'failed', detail: null }] }
        : { receipts: [{ ...named, status }], failed: [] };
    return applyReceipts(database.db, signals, { ...batch, doneWork: [] }, RULES);
  };
}

/** The grace of an attempt is over; with evidence, or without. */
function doubted(evidence: boolean): Step {
  return async () => {
    const now = Date.now();
    await database.db.script(`
      update due set due_at = now(), started_at = now() - interval '1 minute' where state <> 'queued';
      delete from sender_evidence`);
    if (evidence) await recordSenderEvidence(database.db, [{ tenant, sender, attemptStartedAt: now - 1000 }]);
    await resolveDoubts(database.db, signals, claim);
  };
}

const takenOver: Step = async () => {
  await letLanesGo(database.db, claim.instance);
  claim = await takeLanes();
};

const expire: Step = async ({ id }) => {
  await database.db.script(`update due set expires_at = now() where message_id = '${id}'`);
  await expireMessages(database.db, signals, claim.lanes);
};

/** The recipient opts out; and in again, for those who come after. */
const optOut: Step = async ({ id }) => {
  const contact = (await findMessage(database.db, tenant, id))?.contact_id;
  assert(contact);
  const said = { tenant, contact, scope: 'all', source: 'api', detail: null, message: null, at: Date.now() } as const;
  await giveConsents({ db: database.db, signals }, [{ ...said, state: 'out' }]);
  await giveConsents({ db: database.db, signals }, [{ ...said, state: 'in' }]);
};

/** WhatsApp has disabled the template of the message. */
const templateGone: Step = async ({ id }) => {
  const template = newId<TemplateId>();
  await database.db.script(`
    insert into templates (tenant_id, account_id, id, name, language, status, category, components)
    values ('${tenant}', '12345', '${template}', 'offer', '${template}', 'DISABLED', 'marketing', '[]');
    update due set template_id = '${template}' where message_id = '${id}'`);
  await settleTemplateHolds(database.db, signals);
};

const reschedule: Step = ({ id }) =>
  rescheduleMessage(database.db, signals, tenant, id, { scheduled_at: Date.now() + 3_600_000 }, null);
const lengthen: Step = ({ id }) =>
  rescheduleMessage(database.db, signals, tenant, id, { expires_at: Date.now() + 3_600_000 }, null);
const cancel: Step = ({ id }) => cancelMessage(database.db, signals, tenant, id, null);
const retry: Step = ({ id }) => retryMessage(database.db, signals, tenant, id, null);
/** Everything that has failed is sent again. */
const redriven: Step = async () => {
  const asked = { filter: {}, per_second: 1000, include_uncertain: false, key_id: newId() };
  await createRedrives({ db: database.db, signals }).create(tenant, asked);
  while ((await stepRedrives({ db: database.db, signals }, NO_CAPS)) !== null);
  await database.db.script('delete from redrives');
};
const sent: Outcome = { kind: 'sent', wamid: 'wamid.answer' };
const error = (code: number): Outcome => ({ kind: 'error', code, title: 'error', detail: null, retryAfter: null });
const unknown: Outcome = { kind: 'unknown', detail: 'cut' };

/** How a message comes to be in a state; some in several ways. */
const WAYS: readonly (readonly [State, ...Step[]])[] = [
  ['queued'],
  ['queued', begin, answered(error(LATER))],
  ['sending', begin],
  ['unconfirmed', begin, answered(unknown)],
  ['sent', begin, answered(sent)],
  ['delivered', begin, answered(sent), told('delivered')],
  ['read', begin, answered(sent), told('read')],
  ['played', begin, answered(sent), told('played')],
  ['failed', begin, answered(error(NEVER))],
  ['failed', begin, told('failed', NEVER)],
  ['cancelled', cancel],
  ['cancelled', begin, answered(error(LATER)), cancel],
  ['expired', expire],
  ['expired', begin, answered(error(LATER)), expire],
];

/** What may happen to a message, by the file of actions/ that does it. */
const HAPPENINGS: readonly (readonly [by: string, Category, Step])[] = [
  ['begin-sends', 'service', begin],
  ['settle-sends', 'service', answered(sent)],
  ['settle-sends', 'service', answered(error(LATER))],
  ['settle-sends', 'service', answered(error(NEVER))],
  ['settle-sends', 'service', answered(error(CLOSED))],
  ['settle-sends', 'service', answered(error(PAUSED))],
  ['settle-sends', 'service', answered(unknown)],
  ['apply-receipts', 'service', told('sent')],
  ['apply-receipts', 'service', told('delivered')],
  ['apply-receipts', 'service', told('read')],
  ['apply-receipts', 'service', told('played')],
  ['apply-receipts', 'service', told('failed', LATER)],
  ['apply-receipts', 'service', told('failed', NEVER)],
  ['apply-receipts', 'service', told('failed', CLOSED)],
  ['hold-lanes', 'service', takenOver],
  ['resolve-doubts', 'service', doubted(true)],
  ['resolve-doubts', 'marketing', doubted(true)],
  ['resolve-doubts', 'service', doubted(false)],
  ['expire-messages', 'service', expire],
  ['consent', 'service', optOut],
  ['template-holds', 'service', templateGone],
  ['change-message', 'service', cancel],
  ['change-message', 'service', reschedule],
  ['change-message', 'service', lengthen],
  ['change-message', 'service', retry],
  ['redrives', 'service', redriven],
];

async function accept(category: Category): Promise<Subject> {
  const accepted = await createAcceptor({ db: database.db, signals, slot: 0 }).accept(
    tenant,
    {
      sender_id: sender,
      address: '+6281234567890',
      address_kind: 'phone',
      type: 'text',
      category,
      priority: 1,
      content: { text: 'hello' },
      template: null,
      metadata: null,
      reply_to: null,
      scheduled_at: null,
      expires_at: null,
      sender_type: null,
      conversation_name: null,
      fallback: { name: 'come_back', language: 'en', category: 'utility' },
    },
    null,
  );
  assert.equal(accepted.kind, 'accepted');
  return { id: accepted.message.id, send: null };
}

async function stateOf(subject: Subject): Promise<State> {
  const message = await findMessage(database.db, tenant, subject.id);
  assert(message);
  return message.state;
}

async function eventsOf(subject: Subject): Promise<string[]> {
  const statement = { name: 'test_events', text: 'select type from events where message_id = $1 order by xid, id' };
  return (await database.db.query<{ type: string }>(statement, [subject.id])).map(({ type }) => type);
}

/** Does one thing to one message and tells what it changed, as a row of the page's table; null: nothing. */
async function happen(way: readonly Step[], from: State, by: string, category: Category, step: Step) {
  const subject = await accept(category);
  for (const each of way) await each(subject);
  assert.equal(await stateOf(subject), from, `on the way to ${by}`);
  const earlier = await eventsOf(subject);
  // Who made no attempt gets no answer and no receipt.
  if (subject.send === null && (by === 'settle-sends' || by === 'apply-receipts')) return null;
  await step(subject);
  const to = await stateOf(subject);
  const events = (await eventsOf(subject)).slice(earlier.length);
  return from === to && events.length === 0 ? null : row(from, to, by, events.join(', ') || 'none');
}

function row(from: string, to: string, by: string, event: string): string {
  return `${from} → ${to} by ${by}, event ${event}`;
}

/** A row of the page's table: from, to, the file of actions/, the event, when. */
const TABLE_ROW = /^\| ([\w, ]+) \| ([\w, ]+) \| `actions\/([\w-]+)\.ts`[^|]* \| ([^|]+) \| [^|]+ \|$/gm;

/** The transitions of the page's table. A row may name several states on either side, and `message.*` for each new one's event. */
function transitionsOf(page: string): string[] {
  const transitions: string[] = [];
  for (const [, from = '', to = '', by = '', event = ''] of page.matchAll(TABLE_ROW)) {
    for (const before of from.split(', ')) {
      // A new message comes from nowhere; it has a test of its own.
      if (before === 'nothing') continue;
      for (const next of to.split(', ')) {
        transitions.push(row(before, next, by, event.replaceAll('`', '').replace('*', next)));
      }
    }
  }
  // Two statements may make the same transition.
  return [...new Set(transitions)].sort();
}

test('the page names every state, and no other', () => {
  const named = [...PAGE.matchAll(/^\| \*\*(\w+)\*\* \|/gm)].map(([, state]) => state);
  assert.deepEqual(named, [...STATES]);
});

test('the page has every transition of the program, and no other', async () => {
  const done = new Set<string>();
  for (const [from, ...way] of WAYS) {
    for (const [by, category, step] of HAPPENINGS) {
      const change = await happen(way, from, by, category, step);
      if (change) done.add(change);
      // What is left over is no work for those who come after.
      await database.db.script('delete from due');
    }
  }
  assert.deepEqual([...done].sort(), transitionsOf(PAGE));
});

test('a new message is queued, with its event', async () => {
  const subject = await accept('service');
  assert.equal(await stateOf(subject), 'queued');
  assert.deepEqual(await eventsOf(subject), ['message.queued']);
});

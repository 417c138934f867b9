import { randomBytes } from 'node:crypto';
import { createAcceptor } from '../src/actions/accept-messages.ts';
import { type BegunSend, beginSends, findDueSends } from '../src/actions/begin-sends.ts';
import { declareAlone, holdLanes } from '../src/actions/hold-lanes.ts';
import { createSettler, type Settled, type Settler } from '../src/actions/settle-sends.ts';
import type { Db } from '../src/db/pool.ts';
import { retryingOnConflict } from '../src/db/retry.ts';
import { type InstanceId, type MessageId, newId, type SenderId, type TenantId } from '../src/domain/ids.ts';
import type { LaneClaim } from '../src/domain/lane.ts';
import type { Message, NewMessage } from '../src/domain/message.ts';
import type { Outcome } from '../src/domain/outcome.ts';
import type { ByPriority } from '../src/domain/schedule/priorities.ts';
import { memorySignals, type Signals } from '../src/signals/signals.ts';
import { type EventRow, LOG_START, listEvents } from '../src/store/events.read.ts';
import { findMessage } from '../src/store/messages.read.ts';
import { insertSender, insertTenant, writeApp } from '../src/store/set-up.write.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { logReadable } from './readable-log.ts';
import { until } from './until.ts';

/** A migrated database with an app, in which tests make tenants of their own. */
export interface EngineWorld {
  database: TestDatabase;
  db: Db;
  signals: Signals;
  /** The first of the counters' rows that tests add to. */
  slot: number;
  /** A new tenant with one sender in a lane of its own, and an instance that owns the lane. */
  tenant(): Promise<TenantWorld>;
  close(): Promise<void>;
}

export interface TenantWorld {
  tenant: TenantId;
  sender: SenderId;
  lane: number;
  phoneNumberId: string;
  /** What the instance owns: the tenant's lane, at the epoch of its takeover. */
  claim: LaneClaim;
  /** A message that can be accepted, to a number of its own. */
  message(change?: Partial<NewMessage>): NewMessage;
  accept(change?: Partial<NewMessage>): Promise<MessageId>;
  /** Begins all that is due. */
  begin(): Promise<BegunSend[]>;
  /** Accepts a message and begins its first attempt. */
  sending(change?: Partial<NewMessage>): Promise<BegunSend>;
  settle(send: BegunSend, outcome: Outcome): Promise<Settled>;
  /** The message as it is read. */
  read(id: MessageId): Promise<Message>;
  settler(random?: () => number): Settler;
}

/** The grace of attempts that tests begin: over in a moment, for what waits for it is made due by hand. Milliseconds. */
export const GRACE = 60_000;
export const RETRY = { base: 1000, cap: 60_000 };
export const LEASE = 60_000;
/** What decides whether bad news is the end. */
export const RULES = { retry: RETRY, maxAttempts: null, validity: 86_400_000, slot: 0, random: () => 0.5 };

/** Begins all that is due of senders, or so much of each priority. */
export async function beginDue(
  db: Db,
  claim: LaneClaim,
  senders: readonly { lane: number; sender: SenderId }[],
  most = 1000,
): Promise<BegunSend[]> {
  const asks = senders.map((one) => ({ ...one, limits: [most, most, most] as ByPriority }));
  return beginSends(db, claim, await findDueSends(db, asks), GRACE);
}

let numbers = 0;

/** A phone number that no other message of this process has. */
export function newPhone(): string {
  return `+62812${String(++numbers).padStart(8, '0')}`;
}

export async function engineWorld(): Promise<EngineWorld> {
  const database = await testDatabase();
  const { db } = database;
  const signals = memorySignals();
  const instance = newId<InstanceId>();
  const sealed = Buffer.from('sealed');
  await writeApp(db, { id: 'default', app_secret_sealed: sealed, verify_token_sealed: sealed });

  async function tenant(): Promise<TenantWorld> {
    const id = newId<TenantId>();
    const sender = newId<SenderId>();
    const phoneNumberId = randomBytes(8).toString('hex');
    await insertTenant(db, id, 'test');
    await insertSender(db, id, {
      id: sender,
      name: 'test',
      portfolio: phoneNumberId,
      app: 'default',
      phoneNumberId,
      accountId: '1',
      phone: newPhone(),
      tokenSealed: sealed,
      messagesPerSecond: 80,
      isDefault: true,
    });
    const claim = await takeAllLanes(db, instance);
    const rows = await db.query<{ lane_id: number }>(
      { name: 'test_lane', text: 'select lane_id from senders where tenant_id = $1' },
      [id],
    );
    const lane = rows[0]?.lane_id ?? 0;
    const own: LaneClaim = {
      instance: claim.instance,
      lanes: [lane],
      epochs: [claim.epochs[claim.lanes.indexOf(lane)] ?? 0],
    };
    const acceptor = createAcceptor({ db, signals, slot: 0 });
    const settler = (random = Math.random) =>
      createSettler({
        db,
        signals,
        owner: () => own,
        retry: RETRY,
        maxAttempts: null,
        validity: 86_400_000,
        slot: 0,
        random,
      });
    const usual = settler();
    const message = (change: Partial<NewMessage> = {}): NewMessage => ({
      sender_id: sender,
      address: newPhone(),
      address_kind: 'phone',
      type: 'text',
      category: 'service',
      priority: 1,
      content: { text: 'Hello' },
      template: null,
      metadata: null,
      reply_to: null,
      scheduled_at: null,
      expires_at: null,
      sender_type: null,
      conversation_name: null,
      ...change,
    });
    const accept = async (change?: Partial<NewMessage>): Promise<MessageId> => {
      const accepted = await acceptor.accept(id, message(change), null);
      if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
      return accepted.message.id;
    };
    const begin = () => beginDue(db, own, [{ lane, sender }]);
    return {
      tenant: id,
      sender,
      lane,
      phoneNumberId,
      claim: own,
      message,
      accept,
      begin,
      async sending(change) {
        const accepted = await accept(change);
        const begun = (await begin()).find((send) => send.message_id === accepted);
        if (!begun) throw new Error('the message was not begun');
        return begun;
      },
      settle: (send, outcome) => usual.settle(send, outcome),
      async read(one) {
        const found = await findMessage(db, id, one);
        if (!found) throw new Error(`no message ${one}`);
        return found;
      },
      settler,
    };
  }

  return { database, db, signals, slot: 0, tenant, close: () => database.drop() };
}

/** Makes an instance the owner of every lane, as if all others had died. */
export async function takeAllLanes(db: Db, instance: InstanceId): Promise<LaneClaim> {
  await declareAlone(db, instance);
  const { lanes } = await holdLanes(db, instance, { lease: LEASE, grace: GRACE, description: 'test' });
  return { instance, lanes: lanes.map((lane) => lane.id), epochs: lanes.map((lane) => lane.epoch) };
}

/** A tenant's log, once it has `count` events. */
export async function readLog(db: Db, tenant: TenantId, count: number): Promise<EventRow[]> {
  let events: EventRow[] = [];
  await until(`${count} events are read`, async () => {
    await logReadable(db);
    events = await listEvents(db, tenant, LOG_START, 1000);
    return events.length >= count;
  });
  return events;
}

/** Makes open work of a message due now: its time to leave, or the end of its grace. */
export async function makeDue(db: Db, id: MessageId): Promise<void> {
  const text = `update due set due_at = clock_timestamp() - interval '1 ms' where message_id = $1`;
  // The loop may settle it in the same moment.
  await retryingOnConflict(() => db.query({ name: 'test_make_due', text }, [id]));
}

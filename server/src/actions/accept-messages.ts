import { type Batcher, createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { ErrorCode } from '../domain/errors.ts';
import {
  type BatchId,
  type ContactId,
  type ConversationId,
  type EventId,
  type MessageId,
  newId,
  type TenantId,
} from '../domain/ids.ts';
import type { LimitReached } from '../domain/limits.ts';
import type { NewMessage } from '../domain/message.ts';
import { ruleOn } from '../domain/recipient-rules.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  type AcceptRow,
  type AcceptWrite,
  findAccepted,
  findKnownBefore,
  findNamedConversations,
  insertAcceptedMessages,
  type KnownBefore,
} from '../store/accept.write.ts';
import type { Accepted, AcceptedMessage, Idempotency } from './accepted.ts';
import { isLimited, type LimitRoom, openLimitRoom } from './limit-room.ts';

/**
 * Accepting: a message, its due work, its event, its contact and conversation if they are new, and its idempotency key
 * become durable in one statement, and the caller is answered only then. Requests that arrive together share the statement.
 *
 * The store is looked at before it is written: two instances may make the same contact, conversation or key at once. Then
 * the later one violates a unique key, nothing of its statement stands, and it looks again.
 */
export interface Acceptor {
  /**
   * Accepts one message.
   * @throws BatcherFull when too many wait; a transient database error when the store cannot be reached.
   */
  accept(tenant: TenantId, message: NewMessage, idempotency: Idempotency | null): Promise<Accepted>;
  /** Messages that wait for their commit. */
  readonly waiting: number;
}

interface Request {
  tenant: TenantId;
  message: NewMessage;
  idempotency: Idempotency | null;
}

/** What the actions of accepting need. */
export interface AcceptDeps {
  db: Db;
  signals: Signals;
  /** The first of the counters' rows that this instance adds to. */
  slot: number;
}

const MOST_TOGETHER = 250;
/** Of the counters: behind those that batches use. */
const LIMITED_SLOT = 4;
const MOST_WAITING = 20_000;

/** Makes the acceptor of single messages. */
export function createAcceptor(deps: AcceptDeps): Acceptor {
  const usual = { max: MOST_TOGETHER, parallel: 2, limit: MOST_WAITING, blameOne: isBadValue };
  const batcher: Batcher<Request, Accepted> = createBatcher({
    ...usual,
    run: (requests, slot) => acceptTogether(deps, requests, storeFree, deps.slot + slot),
  });
  // Whoever has limits waits for their windows, and nobody else does.
  const limited: Batcher<Request, Accepted> = createBatcher({
    ...usual,
    run: (requests, slot) => acceptTogether(deps, requests, storeLimited, deps.slot + LIMITED_SLOT + slot),
  });
  return {
    accept: (tenant, message, idempotency) =>
      (isLimited(message) ? limited : batcher).add({ tenant, message, idempotency }),
    get waiting() {
      return batcher.size + limited.size;
    },
  };
}

async function acceptTogether(deps: AcceptDeps, requests: Request[], store: Store, slot: number): Promise<Accepted[]> {
  const results = new Array<Accepted>(requests.length);
  // Of several requests with one key the first is done, and the others are answered from what it left.
  let rest = requests.map((_, place) => place);
  while (rest.length > 0) {
    const first = new Set<string>();
    const now: number[] = [];
    const later: number[] = [];
    for (const place of rest) {
      const { tenant, idempotency } = requests[place] as Request;
      const key = idempotency && `${tenant} ${idempotency.key}`;
      if (key && first.has(key)) later.push(place);
      else {
        if (key) first.add(key);
        now.push(place);
      }
    }
    await retryingOnConflict(() => acceptDistinct(deps, requests, now, results, store, slot));
    rest = later;
  }
  return results;
}

async function acceptDistinct(
  { db, signals }: AcceptDeps,
  requests: readonly Request[],
  places: readonly number[],
  results: Accepted[],
  store: Store,
  slot: number,
): Promise<void> {
  const known = await lookUp(
    db,
    places.map((place) => requests[place] as Request),
  );
  const fresh: Fresh[] = [];
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    const request = requests[place] as Request;
    const before = known[i] as KnownBefore;
    if (before.request_hash) results[place] = await answerAgain(db, request, before);
    else {
      const ruling = ruleOn(request.message, before);
      if (ruling.kind === 'refused') results[place] = ruling;
      else fresh.push({ ...request, message: ruling.message, instead: ruling.kind === 'instead', place, before });
    }
  }
  if (fresh.length === 0) return;
  const stored = await store(db, fresh, slot);
  await failpoint('accept.after_commit');
  fresh.forEach(({ place, instead }, i) => {
    const one = stored.each[i] as StoredOne;
    results[place] =
      'code' in one ? { kind: 'limited', ...one } : answerOf(accepted(one, stored.createdAt), false, instead);
  });
  announce(signals, stored.rows);
}

/** A request that was not done before, with what is to be stored of it. */
interface Fresh extends Request {
  /** Its fallback goes in its place. */
  instead: boolean;
  place: number;
  before: KnownBefore;
}

type StoredOne = AcceptRow | LimitReached;

/** Stores requests, durably when it resolves. `each`: what became of them, in order; `rows`: what was stored. */
type Store = (
  db: Db,
  requests: readonly Fresh[],
  slot: number,
) => Promise<{ each: StoredOne[]; rows: readonly AcceptRow[]; createdAt: Date }>;

async function storeFree(db: Db, requests: readonly Fresh[], slot: number) {
  const plan = newPlan(slot, true);
  const each = requests.map((request) => plan.add(request, request.before, null, null, request.instead));
  await failpoint('accept.before_commit');
  return { each, rows: each, createdAt: await insertAcceptedMessages(db, plan.write) };
}

/** Read committed, to see what others left of the limits. What is written is new, so the order of events holds (ADR 0011). */
function storeLimited(db: Db, requests: readonly Fresh[], slot: number) {
  return db.inTurn(async (tx) => {
    const plan = newPlan(slot, true);
    const room = await openLimitRoom(tx, requests);
    const each = requests.map((request) => plan.addWithin(room, request, request.before, null, request.instead));
    plan.write.taken = room.taken();
    await failpoint('accept.before_commit');
    const { rows } = plan.write;
    const createdAt = rows.length > 0 ? await insertAcceptedMessages(tx, plan.write) : new Date(0);
    return { each, rows, createdAt };
  });
}

/** Looks up what the store knows of these requests; every sender is known to exist. */
export async function lookUp(
  tx: Queryable,
  requests: readonly { tenant: TenantId; message: NewMessage; idempotency: Idempotency | null }[],
): Promise<KnownBefore[]> {
  const known = await findKnownBefore(
    tx,
    requests.map(({ tenant, message, idempotency }) => ({
      tenant,
      sender: message.sender_id,
      kind: message.address_kind,
      address: message.address,
      key: idempotency?.key ?? null,
    })),
  );
  for (const { lane_id } of known)
    if (lane_id === null) throw new Error('a message names a sender that does not exist');
  if (requests.some(({ message }) => message.conversation_name !== null)) {
    const asked = requests.map(({ tenant, message }) => ({ tenant, name: message.conversation_name }));
    const named = await findNamedConversations(tx, asked);
    known.forEach((one, i) => {
      one.named_id = named[i] ?? null;
    });
  }
  return known;
}

async function answerAgain(db: Db, { tenant, idempotency }: Request, before: KnownBefore): Promise<Accepted> {
  if (!before.message_id || !idempotency?.hash.equals(before.request_hash as Buffer)) return { kind: 'mismatch' };
  const message = await findAccepted(db, tenant, before.message_id);
  // The message may have been pruned while its key was kept.
  if (!message) return { kind: 'mismatch' };
  const { sent_as_template, ...answered } = message;
  return answerOf(answered, true, sent_as_template);
}

/** What a message is answered with whose fallback went in its place. */
export const INSTEAD: readonly ErrorCode[] = ['sent_as_template'];

function answerOf(message: AcceptedMessage, replayed: boolean, instead: boolean): Accepted {
  return instead ? { kind: 'accepted', replayed, message, warnings: INSTEAD } : { kind: 'accepted', replayed, message };
}

function accepted(row: AcceptRow, createdAt: Date): AcceptedMessage {
  return {
    id: row.id,
    sender_id: row.sender,
    contact_id: row.contact,
    conversation_id: row.conversation,
    address: row.address,
    type: row.type,
    created_at: createdAt,
    scheduled_at: row.scheduledAt === null ? null : new Date(row.scheduledAt),
  };
}

/** That a message's fallback went in its place. */
const TAKEN = { taken: 'accepting' } as const;

/** Gathers one write: gives each message its ids, and makes each new contact and conversation once. */
export function newPlan(slot: number, due: boolean) {
  const rows: AcceptRow[] = [];
  const contacts: AcceptWrite['contacts'][number][] = [];
  const conversations: AcceptWrite['conversations'][number][] = [];
  const names: AcceptWrite['names'][number][] = [];
  const keys: AcceptWrite['keys'][number][] = [];
  const newContacts = new Map<string, ContactId>();
  const newConversations = new Map<string, ConversationId>();
  const givenNames = new Set<string>();
  const said: AcceptWrite['said'][number][] = [];
  const write: AcceptWrite = { rows, contacts, conversations, names, keys, due, slot, taken: [], said };

  function contactOf(tenant: TenantId, message: NewMessage, before: KnownBefore): ContactId {
    if (before.contact_id) return before.contact_id;
    const name = `${tenant} ${message.address}`;
    let contact = newContacts.get(name);
    if (!contact) {
      contact = newId<ContactId>();
      newContacts.set(name, contact);
      contacts.push({ tenant, contact, kind: message.address_kind, value: message.address });
    }
    return contact;
  }

  function conversationOf(
    tenant: TenantId,
    message: NewMessage,
    contact: ContactId,
    before: KnownBefore,
  ): ConversationId {
    if (before.conversation_id) return before.conversation_id;
    const name = `${contact} ${message.sender_id}`;
    let conversation = newConversations.get(name);
    if (!conversation) {
      conversation = newId<ConversationId>();
      newConversations.set(name, conversation);
      conversations.push({ tenant, conversation, sender: message.sender_id, contact, externalId: null });
    }
    return conversation;
  }

  /** Calls a conversation what a request calls it, unless something is called so already. */
  function giveName(tenant: TenantId, conversation: ConversationId, name: string): void {
    const given = `${tenant} ${name}`;
    if (givenNames.has(given)) return;
    givenNames.add(given);
    const made = conversations.find((one) => one.conversation === conversation);
    if (made) made.externalId = name;
    else {
      const before = names.findIndex((one) => one.conversation === conversation);
      const renamed = { tenant, conversation, externalId: name, event: newId<EventId>() };
      names.splice(before < 0 ? names.length : before, 1, renamed);
    }
  }

  function add(
    request: Request,
    before: KnownBefore,
    batch: BatchPlace | null,
    reserved: number | null = null,
    instead = false,
  ): AcceptRow {
    const { tenant, message, idempotency } = request;
    const contact = contactOf(tenant, message, before);
    const conversation = conversationOf(tenant, message, contact, before);
    if (message.conversation_name !== null && !before.named_id) {
      giveName(tenant, conversation, message.conversation_name);
    }
    const row: AcceptRow = {
      tenant,
      id: newId<MessageId>(),
      event: newId(),
      sender: message.sender_id,
      lane: before.lane_id as number,
      contact,
      conversation,
      batch: batch?.id ?? null,
      batchIndex: batch?.index ?? null,
      type: message.type,
      category: message.category,
      priority: message.priority,
      address: message.address,
      content: message.content,
      template: message.template,
      metadata: message.metadata,
      replyTo: message.reply_to,
      scheduledAt: message.scheduled_at,
      expiresAt: message.expires_at,
      senderType: message.sender_type,
      author: message.author_id ?? null,
      fallback: instead ? TAKEN : (message.fallback ?? null),
      templateId: message.template_id ?? null,
      held: message.held ?? null,
      reserved,
    };
    rows.push(row);
    if (message.said && !said.some((one) => one.conversation === conversation)) said.push({ tenant, conversation });
    if (idempotency) keys.push({ tenant, key: idempotency.key, hash: idempotency.hash, message: row.id });
    return row;
  }

  return {
    write,
    add,
    /** Adds a message if its limits have room for it. */
    addWithin(
      room: LimitRoom,
      request: Request,
      before: KnownBefore,
      batch: BatchPlace | null,
      instead = false,
    ): AcceptRow | LimitReached {
      const place = room.take(request.tenant, request.message);
      return typeof place === 'object' && place !== null ? place : add(request, before, batch, place, instead);
    },
  };
}

interface BatchPlace {
  id: BatchId;
  index: number;
}

/** Tells the lanes that work came, and the tenants that events did. */
export function announce(signals: Signals, rows: readonly AcceptRow[]): void {
  const lanes = new Set<number>();
  for (const row of rows) if (row.scheduledAt === null) lanes.add(row.lane);
  for (const lane of lanes) signals.notify(`due:${lane}`);
  for (const tenant of new Set(rows.map((row) => row.tenant))) signals.notify(`events:${tenant}`);
}

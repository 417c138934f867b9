import { type Batcher, createBatcher } from '../db/batcher.ts';
import { type Db, isBadValue, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import {
  type BatchId,
  type ContactId,
  type ConversationId,
  type MessageId,
  newId,
  type TenantId,
} from '../domain/ids.ts';
import type { NewMessage } from '../domain/message.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  type AcceptRow,
  type AcceptWrite,
  findAccepted,
  findKnownBefore,
  insertAcceptedMessages,
  type KnownBefore,
} from '../store/accept.write.ts';
import type { Accepted, AcceptedMessage, Idempotency } from './accepted.ts';

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
const MOST_WAITING = 20_000;

/** Makes the acceptor of single messages. */
export function createAcceptor(deps: AcceptDeps): Acceptor {
  const batcher: Batcher<Request, Accepted> = createBatcher({
    max: MOST_TOGETHER,
    parallel: 2,
    limit: MOST_WAITING,
    run: (requests, slot) => acceptTogether(deps, requests, deps.slot + slot),
    blameOne: isBadValue,
  });
  return {
    accept: (tenant, message, idempotency) => batcher.add({ tenant, message, idempotency }),
    get waiting() {
      return batcher.size;
    },
  };
}

async function acceptTogether(deps: AcceptDeps, requests: Request[], slot: number): Promise<Accepted[]> {
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
    await retryingOnConflict(() => acceptDistinct(deps, requests, now, results, slot));
    rest = later;
  }
  return results;
}

async function acceptDistinct(
  { db, signals }: AcceptDeps,
  requests: readonly Request[],
  places: readonly number[],
  results: Accepted[],
  slot: number,
): Promise<void> {
  const known = await lookUp(
    db,
    places.map((place) => requests[place] as Request),
  );
  const plan = newPlan(slot, true);
  const fresh: { place: number; row: AcceptRow }[] = [];
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    const request = requests[place] as Request;
    const before = known[i] as KnownBefore;
    if (before.request_hash) results[place] = await answerAgain(db, request, before);
    else fresh.push({ place, row: plan.add(request, before, null) });
  }
  if (fresh.length === 0) return;
  await failpoint('accept.before_commit');
  const createdAt = await insertAcceptedMessages(db, plan.write);
  await failpoint('accept.after_commit');
  for (const { place, row } of fresh)
    results[place] = { kind: 'accepted', replayed: false, message: accepted(row, createdAt) };
  announce(signals, plan.write.rows);
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
  return known;
}

async function answerAgain(db: Db, { tenant, idempotency }: Request, before: KnownBefore): Promise<Accepted> {
  if (!before.message_id || !idempotency?.hash.equals(before.request_hash as Buffer)) return { kind: 'mismatch' };
  const message = await findAccepted(db, tenant, before.message_id);
  // The message may have been pruned while its key was kept.
  return message ? { kind: 'accepted', replayed: true, message } : { kind: 'mismatch' };
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

/** Gathers one write: gives each message its ids, and makes each new contact and conversation once. */
export function newPlan(slot: number, due: boolean) {
  const rows: AcceptRow[] = [];
  const contacts: AcceptWrite['contacts'][number][] = [];
  const conversations: AcceptWrite['conversations'][number][] = [];
  const keys: AcceptWrite['keys'][number][] = [];
  const newContacts = new Map<string, ContactId>();
  const newConversations = new Map<string, ConversationId>();
  const write: AcceptWrite = { rows, contacts, conversations, keys, due, slot };

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
      conversations.push({ tenant, conversation, sender: message.sender_id, contact });
    }
    return conversation;
  }

  return {
    write,
    add(request: Request, before: KnownBefore, batch: { id: BatchId; index: number } | null): AcceptRow {
      const { tenant, message, idempotency } = request;
      const contact = contactOf(tenant, message, before);
      const row: AcceptRow = {
        tenant,
        id: newId<MessageId>(),
        event: newId(),
        sender: message.sender_id,
        lane: before.lane_id as number,
        contact,
        conversation: conversationOf(tenant, message, contact, before),
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
      };
      rows.push(row);
      if (idempotency) keys.push({ tenant, key: idempotency.key, hash: idempotency.hash, message: row.id });
      return row;
    },
  };
}

/** Tells the lanes that work came, and the tenants that events did. */
export function announce(signals: Signals, rows: readonly AcceptRow[]): void {
  const lanes = new Set<number>();
  for (const row of rows) if (row.scheduledAt === null) lanes.add(row.lane);
  for (const lane of lanes) signals.notify(`due:${lane}`);
  for (const tenant of new Set(rows.map((row) => row.tenant))) signals.notify(`events:${tenant}`);
}

import { isDeepStrictEqual } from 'node:util';
import type { Db, Queryable } from '../db/pool.ts';
import { retryingUnderContention } from '../db/retry.ts';
import { createTurns } from '../db/turns.ts';
import {
  type ConversationRecord,
  type ConversationType,
  MOST_PARTICIPANTS,
  type ParticipantRecord,
  type UserId,
} from '../domain/chat.ts';
import { checkConversationFields, checkParticipants, directKey, mayManage } from '../domain/chat-rules.ts';
import { invalid } from '../domain/content/fields.ts';
import { AldisError } from '../domain/errors.ts';
import type { ConversationEvents, ConversationEventType } from '../domain/event-catalogue.ts';
import { type ConversationId, type EventId, isUuid, newId, type TenantId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  type FoundConversation,
  findConversationBy,
  findCustomerConversation,
  findTransactionTime,
} from '../store/chat-conversations.read.ts';
import { insertConversation, updateConversation } from '../store/chat-conversations.write.ts';
import { insertConversationEvents, type NewConversationEvent } from '../store/chat-events.write.ts';
import { listParticipants } from '../store/participants.read.ts';
import { endParticipation, insertParticipants, updateParticipant } from '../store/participants.write.ts';
import type {
  Asker,
  ConversationActions,
  ConversationChange,
  NewConversation,
  NewParticipant,
  ParticipantChange,
  WholeConversation,
} from './chat.ts';

/** Changes that wait for others of the same conversations: all in a group may leave it at once. */
const MOST_CHANGES = 5000;

/**
 * Conversations, and who is in them. Each change is one transaction: what changes, and the events that tell it, whole. Whatever has a
 * place among the messages (joining, leaving, closing) also writes the conversation's row, so that it comes before or after each of
 * them: who joined sees exactly the events of what is not read to him, and nobody speaks after the end.
 */
export function createConversationActions({ db, signals }: { db: Db; signals: Signals }): ConversationActions {
  const turns = createTurns(MOST_CHANGES);

  async function inTransaction<T>(tenant: TenantId, work: (change: Change) => Promise<T>): Promise<T> {
    const { result, told } = await retryingUnderContention(() =>
      db.transaction(async (tx) => {
        const change = new Change(tx, tenant);
        const result = await work(change);
        if (change.events.length > 0) await insertConversationEvents(tx, change.events);
        await failpoint('chat.before_commit');
        return { result, told: change.events.length > 0 };
      }),
    );
    await failpoint('chat.after_commit');
    if (told) signals.notify(`events:${tenant}`);
    return result;
  }

  const inTurn = <T>(tenant: TenantId, id: ConversationId, work: (change: Change) => Promise<T>): Promise<T> =>
    turns.take(`${tenant} ${id}`, () => inTransaction(tenant, work));

  return {
    create(tenant, asker, asked) {
      const wanted = checked(asker, asked);
      return inTransaction(tenant, (change) => create(change, asker, wanted));
    },
    change(tenant, asker, id, to) {
      checkConversationFields(to);
      return inTurn(tenant, id, (change) => changeConversation(change, asker, id, to));
    },
    addParticipants(tenant, asker, id, added) {
      checkParticipants(added);
      return inTurn(tenant, id, async (change) => {
        const place = await change.hold(id, asker);
        refuseDirect(place.conversation.type);
        demand(place, 'participants');
        return join(change, place, added);
      });
    },
    changeParticipant: (tenant, asker, id, user, to) =>
      inTurn(tenant, id, (change) => changeParticipant(change, asker, id, user, to)),
    removeParticipant: (tenant, asker, id, user) =>
      inTurn(tenant, id, (change) => removeParticipant(change, asker, id, user)),
  };
}

/** A conversation that is being changed, with who is in it and how the one who asks stands there (null: software). */
interface Place extends FoundConversation {
  participants: ParticipantRecord[];
  self: ParticipantRecord | null;
}

/** One transaction that changes a conversation, and the events that it is going to write. */
class Change {
  readonly events: NewConversationEvent[] = [];
  readonly tx: Queryable;
  readonly tenant: TenantId;

  constructor(tx: Queryable, tenant: TenantId) {
    this.tx = tx;
    this.tenant = tenant;
  }

  tell<Type extends ConversationEventType>(
    type: Type,
    conversation: ConversationId,
    data: ConversationEvents[Type],
  ): void {
    const event = { id: newId<EventId>(), tenant: this.tenant, conversation, type, user: null, data };
    this.events.push(event as NewConversationEvent);
  }

  /** The conversation that is to be changed. @throws {AldisError} `not_found`, `not_participant` */
  async hold(id: ConversationId, asker: Asker): Promise<Place> {
    const found = isUuid(id) ? await findConversationBy(this.tx, this.tenant, 'id', id) : null;
    if (!found) throw new AldisError('not_found', 'There is no such conversation.');
    const place = await this.place(found, asker);
    if (asker !== null && !place.self) throw new AldisError('not_participant');
    return place;
  }

  async place(found: FoundConversation, asker: Asker): Promise<Place> {
    const participants = await listParticipants(this.tx, this.tenant, found.conversation.id);
    return { ...found, participants, self: participants.find(({ user_id }) => user_id === asker) ?? null };
  }
}

/** @throws {AldisError} `not_conversation_admin` */
function demand({ conversation, self }: Place, what: 'itself' | 'participants'): void {
  if (self && !mayManage(conversation.type, self, what)) throw new AldisError('not_conversation_admin');
}

function refuseDirect(type: ConversationType): void {
  if (type === 'direct') throw new AldisError('fixed_participants');
}

/** What is asked for, with the one who asks among the participants. */
function checked(asker: Asker, asked: NewConversation): NewConversation {
  const { type, sides } = asked;
  checkConversationFields(asked);
  checkParticipants(asked.participants);
  if ((type === 'customer') !== (sides !== undefined))
    throw invalid('type', 'customer goes with a sender and a contact');
  const participants = [...asked.participants];
  const own = participants.findIndex(({ user_id }) => user_id === asker);
  if (type === 'direct') {
    if (asker !== null && own < 0 && participants.length === 1) participants.push({ user_id: asker });
    else if (asker !== null && own < 0) throw invalid('participants', 'must have the user who asks');
    if (participants.length !== 2) {
      throw invalid('participants', `must have two users, but has ${participants.length}`);
    }
  } else if (asker !== null) {
    const self = own < 0 ? { user_id: asker } : (participants[own] as NewParticipant);
    participants.splice(own < 0 ? 0 : own, own < 0 ? 0 : 1, { role: 'owner', ...self });
    checkParticipants(participants);
  }
  if (participants.length === 0 && type === 'group') throw invalid('participants', 'must have at least one user');
  return { ...asked, participants };
}

async function create(
  change: Change,
  asker: Asker,
  asked: NewConversation,
): Promise<WholeConversation & { existing: boolean }> {
  const { tx, tenant } = change;
  const [one, other] = asked.participants;
  const key = asked.type === 'direct' && one && other ? directKey(one.user_id, other.user_id) : null;
  const { sides, external_id = null } = asked;
  const found = key
    ? await findConversationBy(tx, tenant, 'direct', key)
    : sides
      ? await findCustomerConversation(tx, tenant, sides.contact_id, sides.sender_id)
      : null;
  const named = external_id === null ? null : await findConversationBy(tx, tenant, 'external', external_id);
  if (named && named.conversation.id !== found?.conversation.id) {
    throw new AldisError('already_exists', 'There is a conversation of that external id already.', {
      field: 'external_id',
    });
  }
  if (found) return { ...(await complete(change, asker, found, asked)), existing: true };

  const at = await findTransactionTime(tx);
  const conversation: ConversationRecord = {
    id: newId<ConversationId>(),
    type: asked.type,
    title: asked.title ?? null,
    metadata: asked.metadata ?? null,
    sender_id: sides?.sender_id ?? null,
    contact_id: sides?.contact_id ?? null,
    external_id,
    created_by: asker,
    created_at: at.toISOString(),
    closed_at: null,
    retention_days: asked.retention_days ?? null,
  };
  await insertConversation(tx, tenant, conversation, key);
  const participants = await insertJoining(change, conversation.id, asked.participants, at, 0);
  change.tell('conversation.created', conversation.id, { conversation, participants });
  return { conversation, participants, existing: false };
}

/**
 * Gives a conversation that is there what it has not yet. What it has stays: but it is not called by two external ids.
 * @throws {AldisError} `not_participant`, `not_conversation_admin`, `already_exists`
 */
async function complete(
  change: Change,
  asker: Asker,
  found: FoundConversation,
  asked: NewConversation,
): Promise<WholeConversation> {
  const place = await change.place(found, asker);
  const { conversation: before, participants } = place;
  // Else whoever may make conversations could join any.
  if (asker !== null && !place.self) throw new AldisError('not_participant');
  refuseSecondName(before, asked);
  const conversation: ConversationRecord = {
    ...before,
    title: before.title ?? asked.title ?? null,
    metadata: before.metadata ?? asked.metadata ?? null,
    external_id: before.external_id ?? asked.external_id ?? null,
    retention_days: before.retention_days ?? asked.retention_days ?? null,
  };
  if (!isDeepStrictEqual(conversation, before)) {
    demand(place, conversation.retention_days === before.retention_days ? 'itself' : 'participants');
    await updateConversation(change.tx, change.tenant, conversation);
    change.tell('conversation.updated', conversation.id, { conversation });
  }
  const known = new Set(participants.map(({ user_id }) => user_id));
  const added = asked.participants.filter(({ user_id }) => !known.has(user_id));
  if (added.length === 0) return { conversation, participants };
  demand(place, 'participants');
  return { conversation, participants: await join(change, { ...place, conversation }, added) };
}

/** Whoever asks for it by an external id would look for it by that, and not find it. */
function refuseSecondName({ id, external_id }: ConversationRecord, asked: NewConversation): void {
  const { external_id: name = null } = asked;
  if (name === null || external_id === null || name === external_id) return;
  throw new AldisError('already_exists', `This conversation is there already, and its external_id is ${external_id}.`, {
    field: 'external_id',
    details: { conversation_id: id, external_id },
  });
}

/** Lets those join who are not in the conversation, and gives all who are. */
async function join(change: Change, place: Place, added: readonly NewParticipant[]): Promise<ParticipantRecord[]> {
  const { conversation, participants, self, last_seq } = place;
  const known = new Set(participants.map(({ user_id }) => user_id));
  const joining = added.filter(({ user_id }) => !known.has(user_id));
  if (joining.length === 0) return participants;
  if (participants.length + joining.length > MOST_PARTICIPANTS) {
    throw invalid('participants', `would be more than ${MOST_PARTICIPANTS}`, MOST_PARTICIPANTS);
  }
  if (self && self.role !== 'owner' && joining.some(({ role }) => role === 'owner')) {
    throw new AldisError('not_conversation_admin');
  }
  await updateConversation(change.tx, change.tenant, conversation);
  const at = await findTransactionTime(change.tx);
  const joined = await insertJoining(change, conversation.id, joining, at, last_seq);
  for (const participant of joined) {
    change.tell('participant.joined', conversation.id, { conversation_id: conversation.id, participant });
  }
  return [...participants, ...joined];
}

async function insertJoining(
  { tx, tenant }: Change,
  id: ConversationId,
  joining: readonly NewParticipant[],
  at: Date,
  seq: number,
): Promise<ParticipantRecord[]> {
  if (joining.length === 0) return [];
  const joined_at = at.toISOString();
  const records = joining
    .map(({ user_id, role = 'member', can_send_messages = true }) => ({ user_id, role, can_send_messages, joined_at }))
    .sort((a, b) => (a.user_id < b.user_id ? -1 : 1));
  await insertParticipants(tx, tenant, id, records, at, seq);
  return records;
}

async function changeConversation(
  change: Change,
  asker: Asker,
  id: ConversationId,
  to: ConversationChange,
): Promise<ConversationRecord> {
  const place = await change.hold(id, asker);
  const { conversation: before } = place;
  demand(place, to.retention_days === undefined ? 'itself' : 'participants');
  const described: ConversationRecord = {
    ...before,
    title: to.title === undefined ? before.title : to.title,
    metadata: to.metadata === undefined ? before.metadata : to.metadata,
    retention_days: to.retention_days === undefined ? before.retention_days : to.retention_days,
  };
  // Not as text: the store gives the keys of metadata in an order of its own.
  const isDescribed = !isDeepStrictEqual(described, before);
  const turned = to.closed !== undefined && to.closed !== (before.closed_at !== null);
  if (!isDescribed && !turned) return before;
  const closed_at = to.closed ? (await findTransactionTime(change.tx)).toISOString() : null;
  const conversation = turned ? { ...described, closed_at } : described;
  await updateConversation(change.tx, change.tenant, conversation);
  if (isDescribed) change.tell('conversation.updated', id, { conversation: described });
  if (turned) change.tell(closed_at ? 'conversation.closed' : 'conversation.opened', id, { conversation });
  return conversation;
}

async function changeParticipant(
  change: Change,
  asker: Asker,
  id: ConversationId,
  user: UserId,
  to: ParticipantChange,
): Promise<ParticipantRecord> {
  const place = await change.hold(id, asker);
  demand(place, 'participants');
  const { conversation, participants, self } = place;
  const before = memberOf(place, user);
  const after = {
    ...before,
    role: to.role ?? before.role,
    can_send_messages: to.can_send_messages ?? before.can_send_messages,
  };
  if (after.role === before.role && after.can_send_messages === before.can_send_messages) return before;
  const aboutOwner = before.role === 'owner' || after.role === 'owner';
  if (aboutOwner && self && self.role !== 'owner') throw new AldisError('not_conversation_admin');
  if (before.role === 'owner' && after.role !== 'owner' && !hasOtherOwner(participants, user)) {
    throw invalid('role', 'is that of the last owner: let another one be an owner before');
  }
  await updateConversation(change.tx, change.tenant, conversation);
  await updateParticipant(change.tx, change.tenant, id, after);
  change.tell('participant.changed', id, { conversation_id: id, participant: after });
  return after;
}

async function removeParticipant(change: Change, asker: Asker, id: ConversationId, user: UserId): Promise<void> {
  const place = await change.hold(id, asker);
  const { conversation, participants, self } = place;
  refuseDirect(conversation.type);
  const leaving = memberOf(place, user);
  if (user !== asker) {
    demand(place, 'participants');
    if (leaving.role === 'owner' && self && self.role !== 'owner') throw new AldisError('not_conversation_admin');
  }
  await updateConversation(change.tx, change.tenant, conversation);
  await endParticipation(change.tx, change.tenant, id, user, await findTransactionTime(change.tx));
  change.tell('participant.left', id, { conversation_id: id, user_id: user });
  // An admin goes before a member, and who was there before goes before who came later.
  const others = participants.filter(({ user_id }) => user_id !== user);
  const heir = others.find(({ role }) => role === 'admin') ?? others[0];
  if (leaving.role !== 'owner' || hasOtherOwner(participants, user) || !heir) return;
  const participant: ParticipantRecord = { ...heir, role: 'owner' };
  await updateParticipant(change.tx, change.tenant, id, participant);
  change.tell('participant.changed', id, { conversation_id: id, participant });
}

function memberOf({ participants }: Place, user: UserId): ParticipantRecord {
  const member = participants.find(({ user_id }) => user_id === user);
  if (!member) throw new AldisError('not_found', 'The user is not in this conversation.');
  return member;
}

function hasOtherOwner(participants: readonly ParticipantRecord[], user: UserId): boolean {
  return participants.some(({ role, user_id }) => role === 'owner' && user_id !== user);
}

import type { Principal } from '../../access/principal.ts';
import type { Idempotency } from '../../actions/accepted.ts';
import type { ChatActions } from '../../actions/chat.ts';
import type { Queryable } from '../../db/pool.ts';
import type { UserId } from '../../domain/chat.ts';
import { checkChatEmoji, checkEdit } from '../../domain/chat-rules.ts';
import { AldisError } from '../../domain/errors.ts';
import { type ConversationId, isUuid, type MessageId, type TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Signals } from '../../signals/signals.ts';
import { findConversation } from '../../store/contacts.read.ts';
import { findMessagePlace } from '../../store/customer-history.read.ts';
import { findPresence } from '../../store/devices.read.ts';
import type { SaidByFrame, SocketActions } from './socket-actions.ts';

/** A reaction to a WhatsApp message leaves as a message of its own. */
interface ReactionSaid {
  content: { reaction: { message_id: string; emoji: string } };
}

export interface FrameActionsDeps {
  db: Queryable;
  signals: Signals;
  clock: Clock;
  chat: Pick<ChatActions, 'edit' | 'remove' | 'react' | 'markRead' | 'markDelivered' | 'mayWrite'>;
  /** Says something in a conversation of any type, as requests do. */
  say(
    principal: Principal,
    said: (SaidByFrame | ReactionSaid) & { conversation_id: string },
    idempotency: Idempotency | null,
  ): Promise<{ message: object }>;
  /** A customer's message was read here. */
  markCustomersRead(tenant: TenantId, message: MessageId): Promise<'read' | 'not_found' | 'outbound'>;
  /** Shows a customer that an answer is being written. */
  showCustomer(tenant: TenantId, conversation: ConversationId): Promise<void>;
  /** Marks could not be written; they are tried again. Told now and then, not each time. */
  failed(error: unknown): void;
}

const TELL_EVERY = 10_000;

/** What clients do by frames, with the actions that requests use. */
export function createFrameActions({ db, signals, clock, chat, say, ...deps }: FrameActionsDeps): SocketActions {
  let failedAt = Number.NEGATIVE_INFINITY;

  /** The conversation of a WhatsApp message, for one who is in it. @throws {AldisError} */
  async function placeOfWhatsapp({ tenant_id, user_id }: Principal, message: string) {
    const place = isUuid(message) ? await findMessagePlace(db, tenant_id, message) : null;
    if (place?.kind !== 'whatsapp') throw noMessage();
    const verdict = await chat.mayWrite(tenant_id, place.conversation_id, user_id);
    if (verdict === 'not_participant' || verdict === 'not_found') throw new AldisError(verdict);
    return place;
  }

  return {
    async say(principal, conversation_id, said, idempotency) {
      return (await say(principal, { ...said, conversation_id }, idempotency)).message;
    },
    async edit(principal, message, change) {
      await chat.edit(principal.tenant_id, userOf(principal), message, checkEdit(change));
    },
    async remove(principal, message) {
      await chat.remove(principal.tenant_id, userOf(principal), message);
    },
    async react(principal, message_id, given) {
      const emoji = checkChatEmoji(given);
      try {
        await chat.react(principal.tenant_id, userOf(principal), message_id, emoji);
      } catch (error) {
        if (!(error instanceof AldisError) || error.code !== 'not_found') throw error;
        const { conversation_id } = await placeOfWhatsapp(principal, message_id);
        const content = { reaction: { message_id, emoji: emoji ?? '' } };
        await say(principal, { conversation_id, content }, null);
      }
    },
    async read(principal, message) {
      const { tenant_id } = principal;
      const [marked] = await chat.markRead(tenant_id, [{ user: userOf(principal), message }]);
      if (marked === 'not_participant') throw new AldisError(marked);
      if (marked !== 'not_found') return;
      await placeOfWhatsapp(principal, message);
      const done = await deps.markCustomersRead(tenant_id, message as MessageId);
      if (done === 'not_found') throw noMessage();
      if (done === 'outbound') throw new AldisError('cannot_mark_read');
    },
    async type(principal, name, is_typing) {
      const { tenant_id: tenant } = principal;
      const user = userOf(principal);
      const found = await findConversation(db, tenant, name);
      const verdict = found === null ? 'not_found' : await chat.mayWrite(tenant, found.id, user);
      if (found === null || verdict !== 'ok') {
        throw new AldisError(verdict === 'ok' ? 'not_found' : verdict, undefined, { field: 'payload.conversation_id' });
      }
      signals.say({ kind: 'typing', tenant, conversation: found.id, user, is_typing, at: clock.now() });
      if (found.type === 'customer' && is_typing) await deps.showCustomer(tenant, found.id);
    },
    delivered(tenant, user, last) {
      const marks = [...last.values()].map((message) => ({ user, message }));
      return chat.markDelivered(tenant, marks).then(
        () => true,
        (error) => {
          if (clock.monotonic() - failedAt >= TELL_EVERY) {
            failedAt = clock.monotonic();
            deps.failed(error);
          }
          return false;
        },
      );
    },
    presence: ({ tenant_id, user_id }, users) => findPresence(db, tenant_id, user_id, users),
  };
}

function userOf({ user_id }: Principal): UserId {
  if (user_id === null) throw new Error('a frame of no user was let through');
  return user_id;
}

function noMessage(): AldisError {
  return new AldisError('not_found', 'There is no message of that id.', { field: 'payload.message_id' });
}

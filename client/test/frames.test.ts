import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as chat from '../../server/src/domain/chat.ts';
import { CLOSE_CODES, PROTOCOL_CODES } from '../../server/src/domain/close-codes.ts';
import type { ConversationEvents, EventType } from '../../server/src/domain/event-catalogue.ts';
import {
  CLIENT_FRAMES,
  type ClientFrame,
  SERVER_FRAMES,
  type ServerFrameType as ServersType,
} from '../../server/src/domain/socket-frames.ts';
import { afterClose, waitAsked } from '../src/close-codes.ts';
import type { AldisEvent, ChatMessage, Conversation, EventData, Participant } from '../src/events.ts';
import type { ClientFrames, EventFrames, ServerFrames, ServerFrameType } from '../src/frames.ts';

/* The client imports nothing of the server: here its types are held equal to what the server says. The compiler does most of it. */

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Every field of every frame: the compiler asks for exactly those that the types have. */
const FIELDS: { [T in ServerFrameType]: ServerFrames[T] extends object ? Record<keyof ServerFrames[T], true> : null } =
  {
    hello: { user_id: true, device_id: true, cursor: true },
    new_message: { type: true, message: true, timestamp: true },
    message_edited: { message: true, timestamp: true },
    message_deleted: { message: true, timestamp: true },
    message_updated: { message: true, timestamp: true },
    message_delivered: { message_id: true, user_id: true, timestamp: true, conversation_id: true, seq: true },
    message_read: { message_id: true, user_id: true, timestamp: true, conversation_id: true, seq: true },
    reaction: { conversation_id: true, message_id: true, user_id: true, emoji: true, timestamp: true },
    conversation: { action: true, conversation: true, participants: true, timestamp: true },
    participant: { action: true, conversation_id: true, participant: true, user_id: true, timestamp: true },
    event: { type: true, data: true, timestamp: true },
    typing: { conversation_id: true, user_id: true, timestamp: true, is_typing: true },
    presence: { user_id: true, online: true, last_seen: true },
    pong: null,
    sent: { client_id: true, message: true },
    done: { client_id: true, type: true },
    subscribed: { client_id: true },
    resuming: { cursor: true },
    resumed: { cursor: true },
    error: { code: true, message: true, details: true, type: true, client_id: true, retry_after: true },
  };

const EVENTS: Record<keyof EventFrames, true> = {
  new_message: true,
  message_edited: true,
  message_deleted: true,
  message_updated: true,
  message_delivered: true,
  message_read: true,
  reaction: true,
  conversation: true,
  participant: true,
  event: true,
};

/** The names in backticks or quotes; no values. */
function namesIn(text: string | null): string[] {
  return [...(text ?? '').matchAll(/(?<!: )["`](\w+)["`]/g)].map(([, name = '']) => name);
}

test("the server's frames are those that the client knows, with their fields", () => {
  const same: Same<ServersType, ServerFrameType> = true;
  assert.ok(same);
  for (const [type, { payload, about, event }] of Object.entries(SERVER_FRAMES)) {
    const known = Object.keys(FIELDS[type as ServerFrameType] ?? {});
    const told = namesIn(payload);
    assert.deepEqual(
      told.filter((name) => !known.includes(name)),
      [],
      `${type}: the client does not know`,
    );
    // What comes only sometimes may stand in the words about it.
    const spoken = [...told, ...namesIn(about)];
    assert.deepEqual(
      known.filter((name) => !spoken.includes(name)),
      [],
      `${type}: the server does not tell`,
    );
    assert.equal(type in EVENTS, event, type);
  }
});

test('the frames that the client sends are those that the server takes', () => {
  type Sent = { [T in keyof ClientFrames]: { type: T; payload: ClientFrames[T] } }[keyof ClientFrames];
  const taken = (frame: Sent): ClientFrame => frame;
  const frame = taken({ type: 'read_receipt', payload: { message_id: 'm', client_id: 'c' } });
  assert.ok(frame.type in CLIENT_FRAMES);
  // A connection is resumed by its address, and every frame says that others have come.
  type Unused = Exclude<ClientFrame['type'], keyof ClientFrames>;
  const unused: Same<Unused, 'resume' | 'ack'> = true;
  assert.ok(unused);
});

test('events and what they carry are those of the server', () => {
  type Mine = EventData[keyof EventData];
  const given = (data: ConversationEvents[keyof ConversationEvents]): Mine => data;
  const checks: [
    Same<AldisEvent['type'], EventType>,
    Same<keyof EventData, keyof ConversationEvents>,
    Same<keyof ChatMessage, keyof chat.ChatMessage>,
    Same<keyof Conversation, keyof chat.ConversationRecord>,
    Same<keyof Participant, keyof chat.ParticipantRecord>,
    Same<ChatMessage['sender_type'], chat.ChatMessage['sender_type']>,
    Same<Participant, chat.ParticipantRecord>,
  ] = [true, true, true, true, true, true, true];
  assert.ok(checks.every(Boolean));
  assert.equal(typeof given, 'function');
});

test('each close code of the server means to the client what its range says', () => {
  const meant = Object.fromEntries(Object.entries(CLOSE_CODES).map(([name, { code }]) => [name, afterClose(code)]));
  assert.deepEqual(meant, {
    ...Object.fromEntries(
      Object.entries(CLOSE_CODES).map(([name, { code }]) => [
        name,
        code < 4200 ? 'resume' : code < 4500 ? 'renew' : 'give_up',
      ]),
    ),
    cursor_expired: 'begin_anew',
    invalid_cursor: 'begin_anew',
  });
  for (const { code } of PROTOCOL_CODES) assert.equal(afterClose(code), 'resume');
  assert.equal(waitAsked('shutdown retry_after_ms=1234'), 1234);
  assert.equal(waitAsked('shutdown'), 0);
});

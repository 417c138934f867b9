import { AldisError } from './errors.ts';

/**
 * The frames of the WebSocket, as chat-service documents them and more: each is a JSON object with a `type` and most have a
 * `payload`. docs/websocket.md is made of these tables; what a client sends is checked against them.
 */
type FieldKind = 'id' | 'text' | 'flag' | 'object' | 'list' | 'ids';

interface Field {
  kind: FieldKind;
  required?: true;
  /** Whether null stands for none. */
  nullable?: true;
  about: string;
}

interface FrameEntry {
  about: string;
  payload: Readonly<Record<string, Field>>;
}

/** Most ids in one list of a frame. */
export const MOST_IDS = 200;
/** Characters of a `client_id`: with a prefix it is an idempotency key. */
const LONGEST_ID = 128;

const MESSAGE_ID = { kind: 'id', required: true, about: 'The message.' } as const;
const CONVERSATION_ID = { kind: 'id', required: true, about: 'The conversation: its id, or its external id.' } as const;
const CLIENT_ID = {
  kind: 'id',
  about: 'A name of the client for this frame: the answer, or the error, repeats it.',
} as const;

/** What a client sends. */
export const CLIENT_FRAMES = {
  ping: { about: 'Answered by `pong`.', payload: {} },
  read_receipt: {
    about: 'The user has read this message, and all before it in its conversation.',
    payload: { message_id: MESSAGE_ID, client_id: CLIENT_ID },
  },
  typing: {
    about: 'The user types, or has stopped. To be repeated every few seconds: after 6 s without it has ended.',
    payload: {
      conversation_id: CONVERSATION_ID,
      is_typing: { kind: 'flag', required: true, about: 'Whether he types.' },
    },
  },
  send: {
    about:
      'Says something in a conversation. Answered by `sent` when it is stored. The same `client_id` again is answered with the same message.',
    payload: {
      client_id: { ...CLIENT_ID, required: true },
      conversation_id: CONVERSATION_ID,
      content: { kind: 'text', nullable: true, about: 'The text.' },
      message_type: { kind: 'text', about: 'As of `POST /api/v1/messages`; text unless told.' },
      mentions: { kind: 'list', about: '`{user_id, offset, length}` each.' },
      parent_message_id: { kind: 'id', nullable: true, about: 'The message that it answers.' },
      metadata: { kind: 'object', nullable: true, about: 'What belongs to it: `media_url`, `duration`.' },
      note: { kind: 'flag', about: 'In a conversation with a customer: stays inside the business.' },
    },
  },
  edit: {
    about: "Changes a text of the user's own. Answered by `done`.",
    payload: {
      client_id: CLIENT_ID,
      message_id: MESSAGE_ID,
      content: { kind: 'text', required: true, about: 'The new text.' },
      mentions: { kind: 'list', about: 'Those of the new text.' },
    },
  },
  delete: {
    about: "Deletes a message of the user's own. Answered by `done`.",
    payload: { client_id: CLIENT_ID, message_id: MESSAGE_ID },
  },
  react: {
    about: 'Reacts to a message. Answered by `done`.',
    payload: {
      client_id: CLIENT_ID,
      message_id: MESSAGE_ID,
      emoji: { kind: 'text', required: true, nullable: true, about: 'null takes the reaction back.' },
    },
  },
  subscribe: {
    about:
      'Asks for the presence of users: how it is now, and each change. Software that speaks for no user may name `types` and `conversations`: from then on it gets only such events. Answered by `subscribed`.',
    payload: {
      client_id: CLIENT_ID,
      users: { kind: 'ids', about: 'Users who share a conversation with this one; software may name any.' },
      types: { kind: 'ids', about: 'Types of events, as in docs/events.md.' },
      conversations: { kind: 'ids', about: 'Ids of conversations.' },
    },
  },
  unsubscribe: {
    about: 'Ends that. Without any list: all of it. Answered by `subscribed`.',
    payload: {
      client_id: CLIENT_ID,
      users: { kind: 'ids', about: 'Whose presence is not asked for any more.' },
    },
  },
  resume: {
    about:
      'Goes back to a cursor: all that this socket may see after it comes (again), in order, before anything new. To connect with `?after=CURSOR` does the same from the start. Answered by `resuming`.',
    payload: { cursor: { kind: 'id', required: true, about: 'Of the last frame that was got.' } },
  },
  ack: { about: 'Says nothing but that frames have come. Any other frame says so too.', payload: {} },
} as const satisfies Record<string, FrameEntry>;

export type ClientFrameType = keyof typeof CLIENT_FRAMES;

interface Values {
  id: string;
  text: string;
  flag: boolean;
  object: Record<string, unknown>;
  list: unknown[];
  ids: string[];
}
type ValueOf<F> = F extends { kind: infer K extends FieldKind }
  ? Values[K] | (F extends { nullable: true } ? null : never)
  : never;
type RequiredOf<P> = { [N in keyof P]: P[N] extends { required: true } ? N : never }[keyof P];
type PayloadOf<P> = { [N in RequiredOf<P>]: ValueOf<P[N]> } & {
  [N in Exclude<keyof P, RequiredOf<P>>]?: ValueOf<P[N]>;
};

/** A frame that a client sent, checked. */
export type ClientFrame = {
  [T in ClientFrameType]: { type: T; payload: PayloadOf<(typeof CLIENT_FRAMES)[T]['payload']> };
}[ClientFrameType];

/** What is told to a client. */
interface ServerFrameEntry {
  about: string;
  /** Its payload, as JSON with names for values. */
  payload: string | null;
  /** Whether it carries an event of the log, and so has `id`, `cursor` and `prev`. */
  event: boolean;
}

export const SERVER_FRAMES = {
  hello: {
    about: 'The first frame: who this socket is, and the cursor from which on it gets everything.',
    payload: '{"user_id", "device_id", "cursor"}',
    event: false,
  },
  new_message: {
    about: 'Somebody said something: a user, or the customer of a conversation.',
    payload: '{"type": "new_message", "message", "timestamp"}',
    event: true,
  },
  message_edited: { about: 'It was edited.', payload: '{"message", "timestamp"}', event: true },
  message_deleted: { about: 'It was deleted; its text is gone.', payload: '{"message", "timestamp"}', event: true },
  message_updated: {
    about: 'Something else changed about a WhatsApp message: its state, its file, a reaction of the customer.',
    payload: '{"message", "timestamp"}',
    event: true,
  },
  message_delivered: {
    about: 'The message, and all before it, came to a device of that user. `user_id` is null for a customer.',
    payload: '{"message_id", "user_id", "timestamp", "conversation_id", "seq"}',
    event: true,
  },
  message_read: {
    about: 'That user has read the message, and all before it.',
    payload: '{"message_id", "user_id", "timestamp", "conversation_id", "seq"}',
    event: true,
  },
  reaction: {
    about: 'A user reacted; `emoji` null: he took his reaction back.',
    payload: '{"conversation_id", "message_id", "user_id", "emoji", "timestamp"}',
    event: true,
  },
  conversation: {
    about: '`action` is created, updated, closed or opened. `participants` come with created.',
    payload: '{"action", "conversation", "participants", "timestamp"}',
    event: true,
  },
  participant: {
    about: '`action` is joined or changed, with `participant`, or left, with `user_id`.',
    payload: '{"action", "conversation_id", "participant", "timestamp"}',
    event: true,
  },
  event: {
    about: 'Any other event, for software that speaks for no user: see docs/events.md.',
    payload: '{"type", "data", "timestamp"}',
    event: true,
  },
  typing: {
    about: 'A user types, or has stopped.',
    payload: '{"conversation_id", "user_id", "timestamp", "is_typing"}',
    event: false,
  },
  presence: {
    about: 'A user who was subscribed to came or went. `last_seen` null: never seen.',
    payload: '{"user_id", "online", "last_seen"}',
    event: false,
  },
  pong: { about: 'The answer to `ping`.', payload: null, event: false },
  sent: { about: 'The answer to `send`: the message is stored.', payload: '{"client_id", "message"}', event: false },
  done: { about: 'The answer to `edit`, `delete`, `react`.', payload: '{"client_id", "type"}', event: false },
  subscribed: { about: 'The answer to `subscribe` and `unsubscribe`.', payload: '{"client_id"}', event: false },
  resuming: {
    about: 'The answer to `resume`: frames of events begin anew behind this cursor.',
    payload: '{"cursor"}',
    event: false,
  },
  resumed: { about: 'All that was missed has come; what follows is new.', payload: '{"cursor"}', event: false },
  error: {
    about: 'A frame was refused, and nothing of it was done. The codes are those of docs/errors.md.',
    payload: '{"code", "message", "details", "type", "client_id", "retry_after"}',
    event: false,
  },
} as const satisfies Record<string, ServerFrameEntry>;

export type ServerFrameType = keyof typeof SERVER_FRAMES;

/**
 * Reads a frame of a client.
 * @throws {AldisError} `malformed_json`, `missing_field`, `invalid_field`, `unknown_field`: what is wrong with it
 */
export function readClientFrame(text: string): ClientFrame {
  const frame = objectOf(parse(text));
  if (frame === null) throw new AldisError('invalid_field', 'A frame is a JSON object.', { field: 'frame' });
  const { type, payload = {}, ...others } = frame;
  if (type === undefined) throw new AldisError('missing_field', 'type is required.', { field: 'type' });
  if (typeof type !== 'string' || !Object.hasOwn(CLIENT_FRAMES, type)) {
    const known = Object.keys(CLIENT_FRAMES).join(', ');
    throw new AldisError('invalid_field', `type must be one of ${known}.`, { field: 'type' });
  }
  for (const name of Object.keys(others)) refuseUnknown(name);
  const given = objectOf(payload);
  if (given === null) throw new AldisError('invalid_field', 'payload must be an object.', { field: 'payload' });
  const fields: Readonly<Record<string, Field>> = CLIENT_FRAMES[type as ClientFrameType].payload;
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(fields, name)) refuseUnknown(`payload.${name}`);
    check(`payload.${name}`, fields[name] as Field, value);
  }
  for (const [name, { required }] of Object.entries(fields)) {
    if (required && !Object.hasOwn(given, name)) {
      throw new AldisError('missing_field', `payload.${name} is required.`, { field: `payload.${name}` });
    }
  }
  return { type, payload: given } as ClientFrame;
}

/** The `type` and `client_id` of a frame that was refused, as far as they can be told. */
export function nameOfFrame(text: string): { type: string | null; client_id: string | null } {
  let frame: Record<string, unknown> | null = null;
  try {
    frame = objectOf(JSON.parse(text));
  } catch {
    // What is no JSON has no name.
  }
  const short = (value: unknown) => (typeof value === 'string' && value.length <= LONGEST_ID ? value : null);
  return { type: short(frame?.['type']), client_id: short(objectOf(frame?.['payload'])?.['client_id']) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AldisError('malformed_json', 'The frame is not valid JSON.', { field: 'frame' });
  }
}

function refuseUnknown(name: string): never {
  const field = name.slice(0, LONGEST_ID);
  throw new AldisError('unknown_field', `${field} is not a field of this frame.`, { field });
}

const WORDS: Record<FieldKind, string> = {
  id: `must be a text of 1 to ${LONGEST_ID} characters`,
  text: 'must be a text',
  flag: 'must be true or false',
  object: 'must be an object',
  list: 'must be a list',
  ids: `must be a list of at most ${MOST_IDS} texts of 1 to ${LONGEST_ID} characters`,
};

function check(field: string, { kind, nullable }: Field, value: unknown): void {
  if (value === null && nullable) return;
  const fits =
    kind === 'id'
      ? isId(value)
      : kind === 'text'
        ? typeof value === 'string'
        : kind === 'flag'
          ? typeof value === 'boolean'
          : kind === 'object'
            ? objectOf(value) !== null
            : Array.isArray(value) && (kind === 'list' || (value.length <= MOST_IDS && value.every(isId)));
  if (!fits) throw new AldisError('invalid_field', `${field} ${WORDS[kind]}.`, { field });
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= LONGEST_ID && !/[\p{Cc}\p{Cs}]/u.test(value);
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

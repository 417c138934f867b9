import { TENANT_SCOPES } from '../../src/domain/api-key.ts';
import type { ChatMessage, ParticipantRecord } from '../../src/domain/chat.ts';
import type { Customer, DoorWorld } from './door-world.ts';

/** What tests look at in answers about conversations. Only what is there can be equal to what is expected. */
export interface ChatBody extends Omit<ChatMessage, 'id' | 'metadata'> {
  id: string;
  type: string;
  title: string | null;
  metadata: Record<string, unknown> | null;
  participants: ParticipantRecord[];
  conversations: (ChatBody & { last_message: ChatMessage | null })[];
  messages: ChatMessage[];
  edits: { edit: number; content: string | null; at: string }[];
  next_cursor: string | null;
  closed_at: string | null;
  retention_days: number | null;
  last_message: ChatMessage | null;
  last_message_at: string | null;
  unread_count: number;
  participant_count: number;
  role: string | null;
  external_id: string | null;
  sender_id: string | null;
  contact_id: string | null;
  status: string;
  to: string;
  error: string;
  message: string;
  details: { field?: string; scope?: string } | null;
}

export interface Told {
  status: number;
  body: ChatBody;
  headers: Headers;
}

/** One who asks: a user, or software. */
export interface Speaker {
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Told>;
}

export interface ChatTenant extends Customer {
  /** Its software, with a key that names no user. */
  software: Speaker;
  user(id: string): Speaker;
  /** With a key of just these scopes. @param user null: software */
  with(scopes: Parameters<DoorWorld['keyFor']>[1], user: string | null): Promise<Speaker>;
}

/** A tenant whose users ask by a key that may name them. */
export async function chatTenant(world: DoorWorld): Promise<ChatTenant> {
  const customer = await world.customer();
  const speaker = (key: string, user: string | null): Speaker => ({
    async ask(method, path, body, headers = {}) {
      const response = await fetch(`${world.url}/api/v1${path}`, {
        method,
        headers: {
          'x-api-key': key,
          ...(user === null ? {} : { 'x-user-id': Buffer.from(user).toString('latin1') }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as ChatBody, headers: response.headers };
    },
  });
  const key = await world.keyFor(customer.tenant, [...TENANT_SCOPES, 'act_as']);
  return {
    ...customer,
    software: speaker(key, null),
    user: (id) => speaker(key, id),
    with: async (scopes, user) => speaker(await world.keyFor(customer.tenant, scopes), user),
  };
}

/** A conversation between users, made by the first of them. */
export async function between(tenant: ChatTenant, type: 'direct' | 'group', ...users: string[]): Promise<string> {
  const [first = '', ...others] = users;
  const participants = others.map((user_id) => ({ user_id }));
  const { status, body } = await tenant.user(first).ask('POST', '/conversations', { type, participants });
  if (status !== 201) throw new Error(`no conversation: ${status} ${body.message}`);
  return body.id;
}

/** Says something in it. */
export async function say(speaker: Speaker, conversation_id: string, content: string, more: object = {}) {
  const { status, body } = await speaker.ask('POST', '/messages', { conversation_id, content, ...more });
  if (status !== 202) throw new Error(`not said: ${status} ${body.message}`);
  return body;
}

import type { Random } from './random.ts';

/** What is sent, and what must come of it. */
export interface Outgoing {
  type: string;
  body: Record<string, unknown>;
  /** The state that it must end in. */
  ends: 'delivered' | 'read' | 'failed';
  /** false: the provider refuses it at once, and has nothing of it. */
  accepted: boolean;
}

/** What a customer sends: the body for the simulator, which does the rest. */
export interface Incoming {
  type: string;
  body: Record<string, unknown>;
}

/** Ids of messages that others can be about. */
export interface Known {
  /** A file that is stored here. */
  mediaId: string;
  /** The provider's ids of what customers wrote. */
  received: readonly string[];
}

const URL = 'https://files.example/';

/** The content of one message of each type, and of each kind of what can be tapped. */
const CONTENTS: Readonly<Record<string, (random: Random, known: Known) => Record<string, unknown>>> = {
  text: (random) => ({ content: { text: `Hello ${random.integer(1, 1e9)} https://example.com`, preview_url: true } }),
  reply: (random, { received }) => ({ content: { text: 'An answer' }, reply_to: random.pick(received) }),
  template: () => ({ template: { name: 'hello_world', language: 'en_US' } }),
  image: () => ({ content: { media_url: `${URL}picture.png`, text: 'A picture' } }),
  stored: (_, { mediaId }) => ({ content: { media_id: mediaId, text: 'A stored picture' } }),
  video: () => ({ content: { media_url: `${URL}film.mp4` } }),
  audio: () => ({ content: { media_url: `${URL}voice.ogg`, voice: true } }),
  document: () => ({ content: { media_url: `${URL}bill.pdf`, filename: 'bill.pdf', text: 'Your bill' } }),
  sticker: () => ({ type: 'sticker', content: { media_url: `${URL}smile.webp` } }),
  location: () => ({ content: { location: { latitude: -6.2, longitude: 106.8, name: 'Shop', address: 'Jalan 1' } } }),
  contacts: () => ({
    content: {
      contacts: [{ name: { formatted_name: 'Ana B', first_name: 'Ana' }, phones: [{ phone: '+16505551234' }] }],
    },
  }),
  reaction: (random, { received }) => ({ content: { reaction: { message_id: random.pick(received), emoji: '👍' } } }),
  button: () => tappable('button', { buttons: [{ type: 'reply', reply: { id: 'yes', title: 'Yes' } }] }),
  list: () => tappable('list', { button: 'Choose', sections: [{ title: 'All', rows: [{ id: 'one', title: 'One' }] }] }),
  cta_url: () =>
    tappable('cta_url', { name: 'cta_url', parameters: { display_text: 'Open', url: 'https://example.com' } }),
  location_request: () => tappable('location_request_message', { name: 'send_location' }),
};
const KINDS = Object.keys(CONTENTS);
/** The type of a kind where it is another word. */
const TYPES: Readonly<Record<string, string>> = {
  reply: 'text',
  stored: 'image',
  button: 'interactive',
  list: 'interactive',
  cta_url: 'interactive',
  location_request: 'interactive',
};

function tappable(type: string, action: object): Record<string, unknown> {
  return { content: { interactive: { type, body: { text: 'What do you say?' }, action } } };
}

/** Numbers that call a fault (docs/simulator.md): one of the messages in 25 goes to one of them. */
const FAULTS: readonly { to: (digits: string) => string; ends: Outgoing['ends']; accepted: boolean }[] = [
  { to: () => '+19991130472', ends: 'failed', accepted: true },
  { to: () => '+19990130472', ends: 'failed', accepted: false },
  { to: (digits) => `+199961${digits}`, ends: 'read', accepted: true },
  { to: (digits) => `+199972${digits}`, ends: 'delivered', accepted: true },
  { to: (digits) => `+199973${digits}`, ends: 'read', accepted: true },
  { to: (digits) => `+199974${digits}`, ends: 'read', accepted: true },
];
const FAULTY = 25;
const CUSTOMERS = 5000;

function customer(random: Random): string {
  return `+6281${String(random.integer(0, CUSTOMERS - 1)).padStart(8, '0')}`;
}

/** The `n`th message: every type in turn, to anybody. */
export function outgoing(n: number, random: Random, known: Known, senders: readonly string[]): Outgoing {
  const kind = KINDS[n % KINDS.length] ?? 'text';
  const fault = random.integer(1, FAULTY) === 1 ? random.pick(FAULTS) : null;
  const to = fault === null ? customer(random) : fault.to(String(random.integer(0, 99_999)).padStart(5, '0'));
  const { ends = 'read', accepted = true } = fault ?? {};
  const content = CONTENTS[kind]?.(random, known) ?? {};
  const body = { to, sender_id: random.pick(senders), metadata: { soak: n }, ...content };
  return { type: TYPES[kind] ?? kind, body, ends, accepted };
}

/** What a customer can do. Those that change an older message come behind the plain ones. */
const ACTS: Readonly<Record<string, (random: Random, known: Known) => Record<string, unknown>>> = {
  text: (random) => ({ text: `Question ${random.integer(1, 1e9)}` }),
  referral: () => ({ text: 'From your ad', referral: true }),
  image: () => ({ type: 'image' }),
  video: () => ({ type: 'video' }),
  audio: () => ({ type: 'audio' }),
  document: () => ({ type: 'document' }),
  sticker: () => ({ type: 'sticker' }),
  location: () => ({ type: 'location' }),
  contacts: () => ({ type: 'contacts' }),
  order: () => ({ type: 'order' }),
  button: () => ({ type: 'button', payload: { payload: 'yes', text: 'Yes' } }),
  button_reply: () => ({
    type: 'interactive',
    payload: { type: 'button_reply', button_reply: { id: 'a', title: 'A' } },
  }),
  list_reply: () => ({ type: 'interactive', payload: { type: 'list_reply', list_reply: { id: 'b', title: 'B' } } }),
  unsupported: () => ({ type: 'unsupported' }),
  reaction: (random, { received }) => ({
    type: 'reaction',
    payload: { message_id: random.pick(received), emoji: '🙂' },
  }),
  edit: (random, { received }) => ({
    type: 'edit',
    payload: { original_message_id: random.pick(received), message: { type: 'text', text: { body: 'Edited' } } },
  }),
  revoke: (random, { received }) => ({ type: 'revoke', payload: { original_message_id: random.pick(received) } }),
};
const ACT_KINDS = Object.keys(ACTS);
const ACT_TYPES: Readonly<Record<string, string>> = {
  referral: 'text',
  button_reply: 'interactive',
  list_reply: 'interactive',
};

/** The `n`th thing that a customer does: every type in turn, by anybody, to any number. */
export function incoming(n: number, random: Random, known: Known, numbers: readonly string[]): Incoming {
  const kind = ACT_KINDS[n % ACT_KINDS.length] ?? 'text';
  const who = { from: customer(random), name: 'Ana', phone_number_id: random.pick(numbers) };
  return { type: ACT_TYPES[kind] ?? kind, body: { ...who, ...ACTS[kind]?.(random, known) } };
}

/** Types whose file is fetched and stored here. */
export const FILES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'document', 'sticker']);

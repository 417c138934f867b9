import { Buffer } from 'node:buffer';
import type { Names } from './customers.ts';
import { newWamid } from './graph/wamid.ts';
import { BadInput, fieldsOf, optionalBoolean, optionalText, optionalWord, requiredText } from './input.ts';
import { isList, isObject, type JsonObject, typeName } from './json.ts';
import { type BusinessNumber, DEFAULT_NUMBER } from './numbers.ts';
import { sampleFile, samplePayload } from './samples.ts';
import type { Simulation } from './simulation.ts';
import { newestTo, tapped } from './taps.ts';
import { type CustomerMessage, preferenceEnvelope, userIdEnvelope } from './webhooks/payloads.ts';

const WHO = ['phone_number_id', 'from', 'user_id', 'parent_user_id', 'name', 'username'];
const FIELDS = [...WHO, 'type', 'text', 'payload', 'context', 'referral', 'media', 'tap', 'preference', 'block'];
const MEDIA_FIELDS = ['data', 'mime_type', 'filename', 'caption', 'voice', 'animated'];
const MEDIA_TYPES = ['image', 'video', 'audio', 'document', 'sticker'];
/** What is about an older message, or about nobody's, opens no window. */
const OPENS_NONE = ['system', 'edit', 'revoke'];
const UNSUPPORTED = [
  {
    code: 131051,
    title: 'Message type unknown',
    message: 'Message type unknown',
    error_data: { details: 'Message type is currently not supported.' },
  },
];
export const USER_ID = {
  pattern: /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/,
  meaning: 'a business-scoped user id such as US.13491208655302741918',
};
export const PHONE = { pattern: /^\+?\d{5,15}$/, meaning: 'a phone number, 5 to 15 digits' };

interface Customer extends Names {
  name: string;
  parent_user_id?: string;
}

/** What became of a customer's request. */
export type Received =
  | { wamid: string; blocked?: true }
  /** He changed a preference, which is no message. */
  | { preference: 'stop' | 'resume' }
  | { blocking: boolean };

/**
 * POST /_simulator/inbound: a customer writes, taps, stops marketing messages (`preference`) or blocks the number. Throws
 * BadInput.
 */
export function receive(simulation: Simulation, body: unknown, base: string): Received {
  const fields = fieldsOf(body, FIELDS);
  const number = numberOf(simulation, fields);
  const customer = customerOf(simulation, number, fields);
  const preference = optionalWord(fields, 'preference', ['stop', 'resume']);
  const block = optionalBoolean(fields, 'block');
  const { customers, announcements, clock, rules, blocked } = simulation;
  if (preference !== undefined) {
    customers.prefer(number.phone_number_id, customer, preference === 'stop');
    const named = { ...customer, from: customer.wa_id };
    announcements.announce(number, preferenceEnvelope(number, named, preference, clock.now()), ['account']);
    return { preference };
  }
  if (block !== undefined) {
    customers.block(number.phone_number_id, customer, block);
    return { blocking: block };
  }
  const { phone_number_id: id } = number;
  if (blocked.has(id, customer.wa_id) || blocked.has(id, customer.user_id)) {
    return { wamid: newWamid(customer.wa_id ?? customer.user_id ?? '', 'inbound'), blocked: true };
  }
  const message = compose(simulation, number, customer, fields, base);
  note(simulation, number, message);
  announcements.tell(number, message, rules.draw(id)?.webhooks);
  const current = message.type === 'system' && isObject(message.payload) ? message.payload.user_id : undefined;
  if (typeof current === 'string' && customer.user_id !== undefined) {
    const named = { ...customer, from: customer.wa_id };
    announcements.announce(number, userIdEnvelope(number, named, current, message.at), ['account']);
  }
  return { wamid: message.id };
}

/** A customer's message as a request describes it, for a webhook that carries several. Throws BadInput. */
export function readInbound(
  simulation: Simulation,
  body: unknown,
  base: string,
  at: string,
): { number: BusinessNumber; message: CustomerMessage } {
  const fields = fieldsOf(body, FIELDS, at);
  const number = numberOf(simulation, fields);
  const message = compose(simulation, number, customerOf(simulation, number, fields), fields, base);
  note(simulation, number, message);
  return { number, message };
}

/** GET /_simulator/inbound: what customers wrote, as the ledger lists what was sent to them. */
export function listInbound({ inbox }: Simulation, after: number, limit: number): JsonObject {
  const { messages, total, next } = inbox.list(after, limit);
  const shown = messages.map(({ n, wamid, phone_number_id, to, type, received_at: at, body }) => ({
    n,
    wamid,
    phone_number_id,
    from: to,
    type,
    sent_at: at,
    payload: body,
  }));
  return { messages: shown, total, next };
}

/** Writes a customer's message down. */
function note({ inbox, tally }: Simulation, number: BusinessNumber, message: CustomerMessage): void {
  const { id: wamid, from, user_id: userId, type, at, payload } = message;
  const head = { wamid, phone_number_id: number.phone_number_id, to: from ?? userId ?? '', type, opaque: null };
  inbox.add(head, at, JSON.stringify(payload));
  tally.inbound++;
}

function numberOf({ numbers }: Simulation, fields: JsonObject): BusinessNumber {
  const id = optionalText(fields, 'phone_number_id') ?? DEFAULT_NUMBER.phone_number_id;
  const number = numbers.get(id);
  if (!number) throw new BadInput('phone_number_id', `there is no number ${id}; POST /_simulator/numbers makes one`);
  return number;
}

function customerOf(simulation: Simulation, number: BusinessNumber, fields: JsonObject): Customer {
  const { customers, settings } = simulation;
  const phone = optionalText(fields, 'from', PHONE)?.replace('+', '');
  const given = optionalText(fields, 'user_id', USER_ID);
  if (phone === undefined && given === undefined) throw new BadInput('from', 'is missing, and user_id too');
  if (phone !== undefined && given !== undefined) customers.link(number.portfolio_id, phone, given);
  const userId =
    given ?? (phone === undefined ? undefined : customers.userIdOf(number.portfolio_id, phone, settings.user_ids));
  const names = { wa_id: phone, user_id: userId };
  const known = customers.profileOf(names);
  return {
    ...names,
    name: optionalText(fields, 'name', { max: 256 }) ?? known?.name ?? 'Customer',
    username: optionalText(fields, 'username', { max: 60 }) ?? known?.username,
    parent_user_id: optionalText(fields, 'parent_user_id', USER_ID),
  };
}

function compose(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  fields: JsonObject,
  base: string,
): CustomerMessage {
  const user = customer.wa_id ?? customer.user_id ?? '';
  const given = contextOf(fields, number.display_phone_number);
  const tap = optionalText(fields, 'tap', { max: 100 });
  const control =
    tap === undefined
      ? undefined
      : tapped(simulation, number.waba_id, user, tap, typeof given?.id === 'string' ? given.id : undefined);
  const type =
    control?.type ??
    optionalText(fields, 'type', { pattern: /^[a-z_]{1,40}$/, meaning: 'lower-case letters' }) ??
    'text';
  const referral = referralOf(fields);
  const message: CustomerMessage = {
    from: customer.wa_id,
    user_id: customer.user_id,
    parent_user_id: customer.parent_user_id,
    name: customer.name,
    username: customer.username,
    id: newWamid(user, 'inbound'),
    type,
    payload: control?.payload ?? payloadOf(simulation, number, customer, type, fields, base),
    context: control ? { from: number.display_phone_number, id: control.wamid } : given,
    referral,
    at: simulation.clock.now(),
  };
  if (!OPENS_NONE.includes(type)) {
    simulation.customers.wrote(number.phone_number_id, customer, message, referral !== undefined);
  }
  if (type === 'system') rename(simulation, number, customer, message.payload);
  return message;
}

function payloadOf(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  type: string,
  fields: JsonObject,
  base: string,
): unknown {
  const { text, payload, media } = fields;
  if (payload !== undefined) {
    if (text !== undefined) throw new BadInput('payload', 'stands beside text; give one of them');
    if (media !== undefined) throw new BadInput('payload', 'stands beside media; give one of them');
    if (type === 'reaction' && isObject(payload) && payload.message_id === undefined) {
      return { message_id: lastTo(simulation, customer), ...payload };
    }
    if (isObject(payload) || (isList(payload) && (type === 'contacts' || type === 'unsupported'))) return payload;
    throw new BadInput('payload', `must be what Meta documents for type ${type}, got ${typeName(payload)}`);
  }
  if (MEDIA_TYPES.includes(type)) return fileOf(simulation, number, type, fields, base);
  if (media !== undefined) throw new BadInput('media', `is for ${MEDIA_TYPES.join(', ')}`);
  if (type === 'text') return { body: requiredText(fields, 'text') };
  if (type === 'edit' || type === 'revoke') return changeOf(simulation, number, customer, type, fields);
  if (text !== undefined) throw new BadInput('text', `is for messages of type text; ${type} has its payload`);
  if (type === 'unsupported') return UNSUPPORTED;
  const sample = samplePayload(type);
  if (sample) return sample;
  throw new BadInput('payload', `must be what Meta documents for type ${type}, got nothing`);
}

/** An edit of the customer's newest text, or a deletion of his newest message. Others are told by their payload. */
function changeOf(
  simulation: Simulation,
  number: BusinessNumber,
  customer: Customer,
  type: 'edit' | 'revoke',
  fields: JsonObject,
): JsonObject {
  const which = type === 'edit' ? 'text' : 'message';
  const original = simulation.customers.newestOf(number.phone_number_id, customer, which);
  if (original === undefined) {
    throw new BadInput('payload', `is missing, and the customer has written no ${which} yet`);
  }
  if (type === 'revoke') return { original_message_id: original };
  return { original_message_id: original, message: { type: 'text', text: { body: requiredText(fields, 'text') } } };
}

function lastTo(simulation: Simulation, { wa_id: phone, user_id: userId }: Names): string {
  const message = newestTo(simulation, phone ?? userId ?? '');
  if (!message) throw new BadInput('payload.message_id', 'is missing, and nothing was sent to the customer yet');
  return message.wamid;
}

/** A file that is really kept, and can be fetched. Without `data` it is the smallest of its kind. */
function fileOf(
  simulation: Simulation,
  number: BusinessNumber,
  type: string,
  { media = {} }: JsonObject,
  base: string,
): JsonObject {
  const fields = fieldsOf(media, MEDIA_FIELDS, 'media.');
  const at = 'media.';
  const sample = sampleFile(type);
  const { data } = fields;
  if (data !== undefined && (typeof data !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(data))) {
    throw new BadInput('media.data', 'must be the file in Base64');
  }
  const bytes = Buffer.from(typeof data === 'string' ? data : (sample?.data ?? ''), 'base64');
  const mimeType = optionalText(fields, 'mime_type', { at, max: 200 }) ?? sample?.mime_type ?? '';
  const kept = simulation.media.receive(number.phone_number_id, mimeType, bytes, base);
  const caption = optionalText(fields, 'caption', { at, max: 1024 });
  const filename = optionalText(fields, 'filename', { at, max: 240 }) ?? sample?.filename;
  return {
    ...(caption === undefined ? {} : { caption }),
    ...(type === 'document' ? { filename } : {}),
    ...kept,
    ...(type === 'audio' ? { voice: optionalBoolean(fields, 'voice', at) ?? false } : {}),
    ...(type === 'sticker' ? { animated: optionalBoolean(fields, 'animated', at) ?? false } : {}),
  };
}

/** `{"message_id"}` of the message that is answered, or the context as Meta documents it. */
function contextOf({ context }: JsonObject, businessNumber: string): JsonObject | undefined {
  if (context === undefined || context === null) return undefined;
  if (!isObject(context)) throw new BadInput('context', `must be a JSON object, got ${typeName(context)}`);
  const { message_id: messageId, ...others } = context;
  return messageId === undefined ? others : { from: businessNumber, id: messageId, ...others };
}

/** The advertisement as Meta documents it; `true` is an example of one. */
function referralOf({ referral }: JsonObject): JsonObject | undefined {
  if (referral === undefined || referral === null || referral === false) return undefined;
  if (isObject(referral)) return referral;
  if (referral !== true) throw new BadInput('referral', `must be a JSON object or true, got ${typeName(referral)}`);
  return {
    source_url: 'https://fb.me/3cr4Wqqkv',
    source_id: '120226305854810726',
    source_type: 'ad',
    headline: 'Chat with us',
    body: 'Summer succulents are here!',
    media_type: 'image',
    image_url: 'https://scontent.xx.fbcdn.net/v/t45.1',
    ctwa_clid:
      'Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchptiErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50',
    welcome_message: { text: 'Hi there! Let us know how we can help!' },
  };
}

/** The customer has another number or id from now on. */
function rename(simulation: Simulation, number: BusinessNumber, customer: Customer, payload: unknown): void {
  const { wa_id: phone, user_id: userId } = isObject(payload) ? payload : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const next = { wa_id: text(phone) ?? customer.wa_id, user_id: text(userId) };
  simulation.customers.rename(number.portfolio_id, number.phone_number_id, customer, next);
}

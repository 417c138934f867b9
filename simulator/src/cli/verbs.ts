import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { JsonObject } from '../json.ts';
import { BadOption } from '../options.ts';

/** A call that a verb means: a POST to one of the simulator's own routes. */
export interface Call {
  path: string;
  body: JsonObject;
}

/** Who acts, to which business number, and what he answers. */
export interface Actor {
  phone_number_id?: string;
  from?: string;
  user_id?: string;
  name?: string;
  username?: string;
  context?: { message_id: string };
}

interface Verb {
  /** The arguments behind the customer. Those in brackets may be left out. */
  arguments: readonly string[];
  about: string;
  call(actor: Actor, given: readonly string[], flags: { caption?: string; voice?: boolean }): Call;
}

const INBOUND = '/_simulator/inbound';
/** Types by a file's ending, for what customers send. */
const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.mp4': 'video/mp4',
  '.3gp': 'video/3gpp',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.amr': 'audio/amr',
  '.ogg': 'audio/ogg; codecs=opus',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

function inbound(actor: Actor, more: JsonObject): Call {
  return { path: INBOUND, body: { ...actor, ...more } };
}

/** The endings of the files that are sent as one kind. As a document goes anything. */
function endingsOf(kind: string): string[] {
  const prefix = kind === 'sticker' ? 'image/webp' : `${kind}/`;
  return Object.keys(TYPES).filter((ending) => TYPES[ending]?.startsWith(prefix));
}

function numberIn(text: string | undefined, name: string, least: number, most: number): number {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new BadOption(`${name} must be a number from ${least} to ${most}, got "${text}"`);
}

function file(type: string): Verb {
  return {
    arguments: ['FILE'],
    about: `sends ${type === 'image' || type === 'audio' ? 'an' : 'a'} ${type}`,
    call(actor, [path = ''], { caption, voice }) {
      const ending = extname(path).toLowerCase();
      if (type !== 'document' && !endingsOf(type).includes(ending)) {
        throw new BadOption(`${path} must end in ${endingsOf(type).join(', ')} to go as ${type}`);
      }
      return inbound(actor, {
        type,
        media: {
          data: readFileSync(path).toString('base64'),
          mime_type: TYPES[ending] ?? 'application/octet-stream',
          ...(caption === undefined ? {} : { caption }),
          ...(type === 'document' ? { filename: basename(path) } : {}),
          ...(voice === undefined ? {} : { voice }),
        },
      });
    },
  };
}

function simple(about: string, more: JsonObject): Verb {
  return { arguments: [], about, call: (actor) => inbound(actor, more) };
}

function status(word: string, about: string): Verb {
  return {
    arguments: ['[WAMID]'],
    about,
    call: ({ from, user_id: userId }, [wamid]) => ({
      path: '/_simulator/statuses',
      body: { status: word, ...(wamid === undefined ? { to: from ?? userId } : { wamid }) },
    }),
  };
}

/** What a customer can do. */
export const VERBS: Readonly<Record<string, Verb>> = {
  say: { arguments: ['TEXT'], about: 'writes', call: (actor, [text]) => inbound(actor, { text }) },
  'send-image': file('image'),
  'send-video': file('video'),
  'send-audio': file('audio'),
  'send-document': file('document'),
  'send-sticker': file('sticker'),
  tap: {
    arguments: ['TITLE'],
    about: 'taps a button or a row of the last message that has it',
    call: (actor, [tap]) => inbound(actor, { tap }),
  },
  react: {
    arguments: ['EMOJI', '[WAMID]'],
    about: 'reacts to the last message, or the one named; "" takes it back',
    call: (actor, [emoji, wamid]) =>
      inbound(actor, {
        type: 'reaction',
        // Taken back, it has no emoji (.../webhooks/reference/messages/reaction).
        payload: { ...(wamid === undefined ? {} : { message_id: wamid }), ...(emoji === '' ? {} : { emoji }) },
      }),
  },
  read: status('read', 'reads the last message, or the one named'),
  play: status('played', 'plays the last voice message, or the one named'),
  location: {
    arguments: ['LATITUDE', 'LONGITUDE', '[NAME]'],
    about: 'sends a place',
    call: (actor, [latitude, longitude, name]) =>
      inbound(actor, {
        type: 'location',
        payload: {
          latitude: numberIn(latitude, 'LATITUDE', -90, 90),
          longitude: numberIn(longitude, 'LONGITUDE', -180, 180),
          ...(name === undefined ? {} : { name }),
        },
      }),
  },
  contact: {
    arguments: ['NAME', 'PHONE'],
    about: 'sends a contact',
    call: (actor, [name = '', phone = '']) =>
      inbound(actor, {
        type: 'contacts',
        payload: [
          {
            name: { first_name: name, formatted_name: name },
            phones: [{ phone, wa_id: phone.replace(/\D/g, ''), type: 'CELL' }],
          },
        ],
      }),
  },
  order: {
    arguments: ['PRODUCT', '[QUANTITY]', '[PRICE]', '[CURRENCY]'],
    about: 'orders from the catalogue',
    call: (actor, [product, quantity = '1', price = '10', currency = 'USD']) =>
      inbound(actor, {
        type: 'order',
        payload: {
          catalog_id: '194836987003835',
          text: '',
          product_items: [
            {
              product_retailer_id: product,
              quantity: numberIn(quantity, 'QUANTITY', 1, 1_000_000),
              item_price: numberIn(price, 'PRICE', 0, 1e12),
              currency,
            },
          ],
        },
      }),
  },
  edit: {
    arguments: ['TEXT'],
    about: 'edits the text that was written last',
    call: (actor, [text]) => inbound(actor, { type: 'edit', text }),
  },
  delete: simple('deletes what was written last', { type: 'revoke' }),
  'change-number': {
    arguments: ['PHONE'],
    about: 'has another phone number from now on',
    call: (actor, [phone = '']) => {
      const next = phone.replace(/\D/g, '');
      const body = `User ${actor.name ?? 'Customer'} changed from ${actor.from?.replace('+', '')} to ${next}`;
      return inbound(actor, { type: 'system', payload: { body, wa_id: next, type: 'user_changed_number' } });
    },
  },
  'change-id': {
    arguments: ['USER_ID'],
    about: 'has another user id from now on',
    call: (actor, [userId = '']) => {
      const body = `User ${actor.name ?? 'Customer'} changed from ${actor.user_id ?? actor.from} to ${userId}`;
      return inbound(actor, { type: 'system', payload: { body, user_id: userId, type: 'user_changed_user_id' } });
    },
  },
  stop: simple('stops marketing messages', { preference: 'stop' }),
  resume: simple('resumes marketing messages', { preference: 'resume' }),
  block: simple('blocks the business: nothing reaches the customer', { block: true }),
  unblock: simple('blocks it no longer', { block: false }),
};

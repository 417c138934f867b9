import type { MessageAct, PersonNames } from '../../../domain/inbound-message.ts';
import { INBOUND_TYPES } from '../../../domain/inbound-message.ts';
import { readErrors } from './errors.ts';
import { idOf, keptOf, listOf, numberOf, phoneOf, recordOf, textOf, told, userIdOf } from './values.ts';

/**
 * What an item says, by its type, as it is stored and shown (Meta: webhooks/reference/messages/<type>). An item that is not of a
 * type we read, or not as its type is documented, is `unsupported` and kept raw.
 */
export interface ReadContent {
  type: string;
  content: Record<string, unknown>;
  mediaId?: string;
  act?: MessageAct;
  /** Of system items: what the customer is named from now on, and was before. */
  renamed?: { now: PersonNames & { parentUserId: string | null }; before: PersonNames };
}

type Item = Record<string, unknown>;
type Read = Omit<ReadContent, 'type'>;

/** The content of one of `messages[]` or `message_echoes[]`. */
export function readContent(item: Item): ReadContent {
  const type = INBOUND_TYPES.find((known) => known === item['type']);
  const errors = readErrors(item['errors']);
  const read = (type !== undefined && READERS[type]?.(item, errors.length > 0)) || null;
  const { content, ...more } = read ?? { content: told({ raw: keptOf(item) }) };
  return {
    ...more,
    type: read && type !== undefined ? type : 'unsupported',
    content: { ...content, ...around(item), ...(errors.length > 0 && { errors }) },
  };
}

/** What may stand beside the content of any type. */
function around(item: Item): Item {
  const context = recordOf(item['context']);
  const beside =
    context &&
    told({
      forwarded: context['forwarded'] === true ? true : null,
      frequently_forwarded: context['frequently_forwarded'] === true ? true : null,
      referred_product: keptOf(recordOf(context['referred_product'])),
    });
  return told({
    context: beside && Object.keys(beside).length > 0 ? beside : null,
    referral: keptOf(recordOf(item['referral'])),
    group_id: idOf(item['group_id']),
  });
}

const READERS: Readonly<Record<string, (item: Item, failed: boolean) => Read | null>> = {
  text(item) {
    const text = textOf(recordOf(item['text'])?.['body']);
    return text === null ? null : { content: { text } };
  },
  image: media('image'),
  video: media('video'),
  audio: media('audio'),
  document: media('document'),
  sticker: media('sticker'),
  location(item) {
    const place = recordOf(item['location']);
    const [latitude, longitude] = [numberOf(place?.['latitude']), numberOf(place?.['longitude'])];
    if (latitude === null || longitude === null) return null;
    const [name, address, url] = [textOf(place?.['name']), textOf(place?.['address']), textOf(place?.['url'])];
    return { content: { location: told({ latitude, longitude, name, address, url }) } };
  },
  contacts(item) {
    const contacts = keptOf(listOf(item['contacts']));
    return contacts === null || contacts.length === 0 ? null : { content: { contacts } };
  },
  reaction(item) {
    const reaction = recordOf(item['reaction']);
    const target = idOf(reaction?.['message_id']);
    if (target === null) return null;
    // Taken back: without an emoji, or with an empty one.
    const emoji = textOf(reaction?.['emoji'], 64);
    return {
      content: { reaction: { message_id: null, whatsapp_message_id: target, emoji } },
      act: { kind: 'reaction', target, emoji },
    };
  },
  interactive: (item) => replyOf(recordOf(item['interactive'])),
  button(item) {
    const button = recordOf(item['button']);
    const [title, payload] = [textOf(button?.['text']), textOf(button?.['payload'])];
    if (title === null && payload === null) return null;
    return { content: told({ text: title, reply: told({ kind: 'quick_reply', title, payload }) }) };
  },
  order(item) {
    const order = keptOf(recordOf(item['order']));
    if (!Array.isArray(order?.['product_items'])) return null;
    return { content: told({ text: textOf(order['text']), order }) };
  },
  system: systemOf,
  edit(item) {
    const edit = recordOf(item['edit']);
    const target = idOf(edit?.['original_message_id']);
    const message = recordOf(edit?.['message']);
    if (target === null || message === null) return null;
    const text = editedText(message);
    return {
      content: told({ text, edit: { message_id: null, whatsapp_message_id: target } }),
      act: { kind: 'edit', target, text },
    };
  },
  revoke(item) {
    const target = idOf(recordOf(item['revoke'])?.['original_message_id']);
    if (target === null) return null;
    return {
      content: { revoke: { message_id: null, whatsapp_message_id: target } },
      act: { kind: 'revoke', target },
    };
  },
  request_welcome: () => ({ content: {} }),
};

/** A file: fetched later, by its id. One that WhatsApp could not take in comes with errors in place of an id. */
function media(kind: string) {
  return (item: Item, failed: boolean): Read | null => {
    const file = recordOf(item[kind]);
    const mediaId = idOf(file?.['id']);
    if (file === null || (mediaId === null && !failed)) return null;
    const filename = textOf(file['filename'], 255);
    const described = told({
      mime_type: textOf(file['mime_type'], 255),
      sha256: textOf(file['sha256'], 128),
      filename,
      voice: flag(file['voice']),
      animated: flag(file['animated']),
      state: mediaId === null ? 'failed' : 'pending',
    });
    return { content: told({ text: textOf(file['caption']), media: described }), ...(mediaId !== null && { mediaId }) };
  };
}

function flag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** What a customer chose or filled in. */
function replyOf(interactive: Item | null): Read | null {
  const [button, row, form] = ['button_reply', 'list_reply', 'nfm_reply'].map((name) => recordOf(interactive?.[name]));
  const chosen = button ?? row;
  if (chosen) {
    const [id, title] = [textOf(chosen['id']), textOf(chosen['title'])];
    if (id === null && title === null) return null;
    const description = textOf(chosen['description']);
    return {
      content: told({ text: title, reply: told({ kind: button ? 'button' : 'list', id, title, description }) }),
    };
  }
  if (!form) return null;
  const [name, title] = [textOf(form['name'], 100), textOf(form['body'])];
  return { content: told({ text: title, reply: told({ kind: 'flow', name, title, response: responseOf(form) }) }) };
}

/** What was filled in, as JSON; as text, where it is none. */
function responseOf({ response_json: response }: Item): unknown {
  const text = textOf(response);
  if (text === null) return keptOf(recordOf(response));
  try {
    const value: unknown = JSON.parse(text);
    return keptOf({ value })?.value ?? text;
  } catch {
    return text;
  }
}

/** The text of an edited message: a text's body, or the caption of a file. */
function editedText(message: Item): string | null {
  const kind = typeof message['type'] === 'string' ? message['type'] : '';
  const part = Object.hasOwn(message, kind) ? recordOf(message[kind]) : null;
  return textOf(part?.['body']) ?? textOf(part?.['caption']);
}

/** What WhatsApp tells of a customer: a new number, a new id, a new device. */
function systemOf(item: Item): Read | null {
  const system = recordOf(item['system']);
  if (typeof system?.['type'] !== 'string') return null;
  const content = told({ text: textOf(system['body']), system: keptOf(system) });
  const type = system['type'];
  if (type !== 'user_changed_number' && type !== 'user_changed_user_id') return { content };
  const [userId, from] = [userIdOf(system['user_id']), userIdOf(item['from_user_id'])];
  const earlier = phoneOf(item['from']) ?? phoneOf(system['customer']);
  // Where only the id changed, the number, if one is shown, stays.
  const isSameNumber = type === 'user_changed_user_id';
  const phone = phoneOf(system['wa_id']) ?? phoneOf(system['new_wa_id']) ?? (isSameNumber ? earlier : null);
  return {
    content,
    renamed: {
      now: { phone, userId, parentUserId: userIdOf(system['parent_user_id']) },
      before: {
        phone: earlier === phone ? null : earlier,
        userId: userIdOf(system['previous_user_id']) ?? (from === userId ? null : from),
      },
    },
  };
}

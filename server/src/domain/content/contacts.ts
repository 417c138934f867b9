import type { ContactCard } from '../message.ts';
import { opaqueFlaw } from '../opaque.ts';
import { invalid, listAt, missing, objectAt, optionalStringAt, stringAt } from './fields.ts';

/** Cards of a message: Meta, messages/contacts-messages. Bytes and characters: ours, for Meta names none. */
const LIMITS = { cards: 257, entries: 50, text: 1000, bytes: 131_072 } as const;

const NAME_PARTS = ['first_name', 'last_name', 'middle_name', 'suffix', 'prefix'] as const;
/** The parts of a card that are lists, each with the names of an entry; the first of them is required. */
const LISTS = {
  phones: ['phone', 'type', 'wa_id'],
  emails: ['email', 'type'],
  urls: ['url', 'type'],
  addresses: ['street', 'city', 'state', 'zip', 'country', 'country_code', 'type'],
} as const;
const ORG = ['company', 'department', 'title'] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Checks cards of people, which are passed on as they are. */
export function checkContacts(path: string, value: unknown): readonly ContactCard[] {
  const cards = listAt(path, value, 1, LIMITS.cards);
  const flaw = opaqueFlaw(cards, LIMITS.bytes);
  if (flaw) throw invalid(`${path}${flaw.path}`, flaw.flaw, LIMITS.bytes);
  return cards.map((card, i) => checkCard(`${path}[${i}]`, card));
}

function checkCard(path: string, value: unknown): ContactCard {
  const card = objectAt(path, value, ['name', 'birthday', 'org', ...Object.keys(LISTS)]);
  const { name, birthday, org } = card;
  const parts = objectAt(`${path}.name`, name, ['formatted_name', ...NAME_PARTS]);
  const formatted_name = stringAt(`${path}.name.formatted_name`, parts['formatted_name'], LIMITS.text);
  if (!NAME_PARTS.some((part) => parts[part] !== undefined)) {
    throw missing(`${path}.name.first_name`, 'or another part of the name is required beside formatted_name');
  }
  checkTexts(`${path}.name`, parts, NAME_PARTS);
  if (birthday !== undefined && !(typeof birthday === 'string' && DAY.test(birthday))) {
    throw invalid(`${path}.birthday`, 'must be a day like 1990-12-31');
  }
  if (org !== undefined) checkTexts(`${path}.org`, objectAt(`${path}.org`, org, ORG), ORG);
  for (const [list, names] of Object.entries(LISTS)) {
    if (card[list] === undefined) continue;
    listAt(`${path}.${list}`, card[list], 0, LIMITS.entries).forEach((entry, i) => {
      checkEntry(`${path}.${list}[${i}]`, entry, names);
    });
  }
  return { ...card, name: { ...parts, formatted_name } };
}

function checkEntry(path: string, value: unknown, names: readonly string[]): void {
  const entry = objectAt(path, value, names);
  checkTexts(path, entry, names);
  const [required = ''] = names;
  // Of an address any part may be absent.
  if (required !== 'street' && entry[required] === undefined) throw missing(`${path}.${required}`);
}

function checkTexts(path: string, value: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) optionalStringAt(`${path}.${name}`, value[name], LIMITS.text);
}

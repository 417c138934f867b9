import { type ContactId, type ConversationId, type EventId, newId } from '../domain/ids.ts';
import { NOTHING_TO_READ, type ReceivedMessage } from '../domain/inbound-message.ts';
import type { ContactSum, ConversationSum, ReceivedRow, ReceivedWrite } from '../store/received.write.ts';
import type { CustomerBook } from './customer-book.ts';

const HOUR = 3_600_000;
/** Hours, where a message does not say. */
const DAY = 24;

/** Adds up what messages make of their contacts and conversations, each of which is then written once, in one order. */
export function sumUp(
  rows: readonly { row: ReceivedRow; message: ReceivedMessage }[],
  book: CustomerBook,
): ReceivedWrite {
  const contacts = new Map<ContactId, ContactSum>();
  const conversations = new Map<ConversationId, ConversationSum>();
  for (const { row, message } of rows) {
    const { tenant, contact, conversation, sender, at, outbound } = row;
    const person = contacts.get(contact) ?? { tenant, contact, name: null, username: null, total: 0, at: null };
    contacts.set(contact, person);
    const talk = conversations.get(conversation) ?? {
      ...{ tenant, conversation, sender, contact },
      unread: 0,
      at: null,
      window: null,
      opening: newId<EventId>(),
    };
    conversations.set(conversation, talk);
    if (outbound) continue;
    // The names that came last are today's.
    person.name = message.name ?? person.name;
    person.username = message.username ?? person.username;
    person.total++;
    person.at = Math.max(person.at ?? at, at);
    if (!NOTHING_TO_READ.includes(message.type)) talk.unread++;
    talk.at = Math.max(talk.at ?? at, at);
    const hours = message.windowHours ?? DAY;
    if (hours > 0) talk.window = Math.max(talk.window ?? 0, at + hours * HOUR);
  }
  const all = [...contacts.values()].sort((a, b) => (a.contact < b.contact ? -1 : 1));
  const named = new Set([...book.newNames, ...book.takenNames].map((name) => name.contact));
  return {
    rows: rows.map(({ row }) => row),
    newContacts: all.filter((one) => book.isNewContact(one.contact)),
    knownContacts: all.filter((one) => !book.isNewContact(one.contact) && (one.total > 0 || named.has(one.contact))),
    names: book.newNames,
    conversations: [...conversations.values()]
      .filter((one) => one.at !== null || book.isNewConversation(one.conversation))
      .sort((a, b) => (a.conversation < b.conversation ? -1 : 1)),
  };
}

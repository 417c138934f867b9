import type { Queryable } from '../db/pool.ts';
import { type ContactId, type ConversationId, newId, type SenderId, type TenantId } from '../domain/ids.ts';
import type { ReceivedMessage } from '../domain/inbound-message.ts';
import {
  findCustomerConversations,
  findCustomerNames,
  findScopedContacts,
  type KnownCustomer,
  type Name,
} from '../store/customers.read.ts';
import { inheritRefusals, leaveNames, takeNames } from '../store/customers.write.ts';

/**
 * Who wrote the messages of one transaction: names to contacts, contacts to conversations, as the store has them and as the messages
 * before changed them. A person is known by his business-scoped user id first, then by his number: numbers are passed on to other
 * people, ids are not. Of one portfolio a person has one id at a time: who comes with another one under a known number is somebody
 * else, who has the number now.
 */
export interface CustomerBook {
  /** Whose message it is; contact and conversation are made where there are none, and names are moved. */
  enter(message: ReceivedMessage, known: KnownCustomer): Person;
  /** Whether anybody is called by one of the names in a message. */
  knows(message: ReceivedMessage): boolean;
  /** Whose message it was that is stored already; null: his names have been moved since. */
  find(known: KnownCustomer): Person | null;
  isNewContact(contact: ContactId): boolean;
  isNewConversation(conversation: ConversationId): boolean;
  /** Names that nobody had. */
  readonly newNames: readonly (Name & { contact: ContactId })[];
  /** Whether any name was taken or left: then there is more to write than new ones. */
  readonly movesNames: boolean;
  readonly takenNames: readonly (Name & { contact: ContactId; from: ContactId })[];
  readonly leftNames: readonly (Name & { at: number })[];
}

export interface Person {
  contact: ContactId;
  conversation: ConversationId;
  /** Names that were another contact's until now. */
  taken: readonly { kind: Name['kind']; value: string; from_contact_id: ContactId }[];
}

interface Entry {
  contact: ContactId;
  /** Since when it is the contact's no more, in milliseconds since 1970. */
  leftAt: number | null;
  /** When the contact last wrote. */
  lastAt: number;
}

/** Whether more has to be known of the customer than the question for all messages answers. */
export function needsBook(message: ReceivedMessage, known: KnownCustomer): boolean {
  if (known.repeated_id !== null) return false;
  if (message.formerly || message.parentUserId || known.phone_left) return true;
  const { user_contact, phone_contact } = known;
  return message.userId !== null && phone_contact !== null && user_contact !== phone_contact;
}

/** Opens the book with what the store knows of the customers who wrote. */
export async function openCustomerBook(
  tx: Queryable,
  messages: readonly ReceivedMessage[],
  known: readonly KnownCustomer[],
): Promise<CustomerBook> {
  const names = new Map<string, Entry | null>();
  const conversations = new Map<string, ConversationId | null>();
  const scoped = new Set<string>();
  const asked: Name[] = [];
  for (const [i, message] of messages.entries()) {
    const { tenant, sender, phone, userId } = message;
    const one = known[i] as KnownCustomer;
    const contact = one.user_contact ?? one.phone_contact;
    if (contact !== null) conversations.set(`${contact} ${sender}`, one.conversation_id);
    if (needsBook(message, one)) asked.push(...allNames(message));
    for (const [kind, value, found] of [
      ['phone', phone, one.phone_contact],
      ['bsuid', userId, one.user_contact],
    ] as const) {
      if (value === null) continue;
      names.set(nameKey({ tenant, kind, value }), found && { contact: found, leftAt: null, lastAt: 0 });
    }
  }
  if (asked.length > 0) {
    for (const name of asked) names.set(nameKey(name), null);
    for (const found of await findCustomerNames(tx, asked)) {
      const { tenant_id: tenant, kind, value, contact_id: contact, left_at, last_message_at } = found;
      const lastAt = last_message_at?.getTime() ?? 0;
      names.set(nameKey({ tenant, kind, value }), { contact, leftAt: left_at?.getTime() ?? null, lastAt });
    }
    const pairs = pairsOf(messages, names);
    const keys = pairs.map(({ contact, sender }) => `${contact} ${sender}`);
    for (const key of keys) conversations.set(key, null);
    for (const { place, id } of await findCustomerConversations(tx, pairs)) {
      conversations.set(keys[place - 1] as string, id);
    }
    for (const place of await findScopedContacts(tx, pairs)) scoped.add(keys[place - 1] as string);
  }
  return bookOf(names, conversations, scoped);
}

/** Of a contact whose names change, any conversation may be meant: those with the senders that were written to. */
function pairsOf(
  messages: readonly ReceivedMessage[],
  names: ReadonlyMap<string, Entry | null>,
): { tenant: TenantId; contact: ContactId; sender: SenderId }[] {
  const senders = new Map(messages.map(({ tenant, sender }) => [sender, tenant]));
  const contacts = new Map<ContactId, TenantId>();
  for (const [key, entry] of names) if (entry) contacts.set(entry.contact, key.slice(0, 36) as TenantId);
  return [...contacts].flatMap(([contact, tenant]) =>
    [...senders].flatMap(([sender, owner]) => (owner === tenant ? [{ tenant, contact, sender }] : [])),
  );
}

function bookOf(
  names: Map<string, Entry | null>,
  conversations: Map<string, ConversationId | null>,
  scoped: Set<string>,
): CustomerBook {
  const newContacts = new Set<ContactId>();
  const newConversations = new Set<ConversationId>();
  const newNames = new Map<string, Name & { contact: ContactId }>();
  const takenNames = new Map<string, Name & { contact: ContactId; from: ContactId }>();
  const leftNames = new Map<string, Name & { at: number }>();

  /** Whose name it is at that time. A number that was given up is nobody's; an id is no other's, even then. */
  function owner(name: Name, at: number): ContactId | null {
    const entry = names.get(nameKey(name));
    if (!entry) return null;
    return name.kind === 'phone' && entry.leftAt !== null && entry.leftAt < at ? null : entry.contact;
  }

  /** Gives a name to a contact. @returns whose it was, when it was another's. */
  function give(name: Name, contact: ContactId, at: number): ContactId | null {
    const key = nameKey(name);
    const entry = names.get(key);
    if (!entry) {
      newNames.set(key, { ...name, contact });
      names.set(key, { contact, leftAt: null, lastAt: at });
      return null;
    }
    const isOthers = entry.contact !== contact;
    const isBack = entry.leftAt !== null && entry.leftAt < at;
    // What is told late says nothing against who wrote under that name since.
    if (!(isOthers || isBack) || (isOthers && !isBack && entry.lastAt > at)) return null;
    names.set(key, { contact, leftAt: null, lastAt: at });
    leftNames.delete(key);
    if (newNames.has(key)) newNames.set(key, { ...name, contact });
    else takenNames.set(key, { ...name, contact, from: takenNames.get(key)?.from ?? entry.contact });
    return isOthers ? entry.contact : null;
  }

  function leave(name: Name, contact: ContactId, at: number): void {
    const key = nameKey(name);
    const entry = names.get(key);
    if (entry?.contact !== contact || entry.leftAt !== null) return;
    names.set(key, { ...entry, leftAt: at });
    leftNames.set(key, { ...name, at });
  }

  function conversationOf(contact: ContactId, sender: SenderId): ConversationId {
    const key = `${contact} ${sender}`;
    const there = conversations.get(key);
    if (there) return there;
    const made = newId<ConversationId>();
    newConversations.add(made);
    conversations.set(key, made);
    return made;
  }

  return {
    enter(message) {
      const { at, sender, formerly, userId } = message;
      const now = namesOf(message, sender);
      const before = formerly ? namesOf({ ...formerly, tenant: message.tenant }) : [];
      let contact: ContactId | null = null;
      for (const name of [...before, ...now]) contact ??= owner(name, at);
      const isKnownId = formerly || userId === null || now.some((name) => name.kind === 'bsuid' && owner(name, at));
      if (contact === null || (!isKnownId && scoped.has(`${contact} ${sender}`))) {
        contact = newId<ContactId>();
        newContacts.add(contact);
      }
      if (userId !== null) scoped.add(`${contact} ${sender}`);
      const taken: Person['taken'][number][] = [];
      for (const name of now) {
        const from = give(name, contact, at);
        if (from) taken.push({ kind: name.kind, value: name.value, from_contact_id: from });
      }
      for (const name of before) leave(name, contact, at);
      return { contact, conversation: conversationOf(contact, sender), taken };
    },
    knows({ at, formerly, ...message }) {
      const names = [...(formerly ? namesOf({ ...formerly, tenant: message.tenant }) : []), ...namesOf(message)];
      return names.some((name) => owner(name, at) !== null);
    },
    find({ user_contact, phone_contact, conversation_id }) {
      const contact = user_contact ?? phone_contact;
      return contact && conversation_id && { contact, conversation: conversation_id, taken: [] };
    },
    isNewContact: (contact) => newContacts.has(contact),
    isNewConversation: (conversation) => newConversations.has(conversation),
    get newNames() {
      return [...newNames.values()];
    },
    get movesNames() {
      return takenNames.size > 0 || leftNames.size > 0;
    },
    get takenNames() {
      return [...takenNames.values()];
    },
    get leftNames() {
      return [...leftNames.values()];
    },
  };
}

/** Writes which names were moved. Called after new contacts are stored. */
export async function settleNames(tx: Queryable, { takenNames, leftNames }: CustomerBook): Promise<void> {
  if (takenNames.length > 0) {
    await takeNames(tx, takenNames);
    const pairs = takenNames.filter((name) => name.from !== name.contact);
    if (pairs.length > 0)
      await inheritRefusals(
        tx,
        pairs.map(({ tenant, from, contact }) => ({ tenant, from, to: contact })),
      );
  }
  if (leftNames.length > 0) await leaveNames(tx, leftNames);
}

type Named = Pick<ReceivedMessage, 'tenant' | 'phone' | 'userId' | 'parentUserId'>;

/** The names that stand in a message, the surest first. */
function namesOf({ tenant, phone, userId, parentUserId = null }: Named, scope?: SenderId): Name[] {
  const names: Name[] = [];
  if (userId !== null) names.push({ tenant, kind: 'bsuid', value: userId, ...(scope && { scope }) });
  if (parentUserId !== null && parentUserId !== userId) names.push({ tenant, kind: 'bsuid', value: parentUserId });
  if (phone !== null) names.push({ tenant, kind: 'phone', value: phone });
  return names;
}

function allNames(message: ReceivedMessage): Name[] {
  const { formerly, tenant } = message;
  return [...namesOf(message), ...(formerly ? namesOf({ ...formerly, tenant }) : [])];
}

function nameKey({ tenant, kind, value }: Name): string {
  return `${tenant} ${kind} ${value}`;
}

import type { Queryable } from '../db/pool.ts';
import { type ContactId, newId, type TenantId } from '../domain/ids.ts';
import {
  type Address,
  type ContactValues,
  findContactsByAddress,
  insertContactAddresses,
  insertContacts,
} from '../store/contacts.write.ts';

/** Somebody who may be known by any of his addresses, or is made with all of them. */
export interface Person {
  addresses: readonly Address[];
  name: string | null;
}

/** The contacts of people, in their order; those that nobody knows are made, each once. */
export async function contactsOf(tx: Queryable, tenant: TenantId, people: readonly Person[]): Promise<ContactId[]> {
  const asked = people.flatMap(({ addresses }) => addresses);
  const owners = await findContactsByAddress(tx, tenant, asked);
  const known = new Map<string, ContactId>();
  asked.forEach((address, i) => {
    const owner = owners[i] ?? null;
    if (owner !== null) known.set(nameOf(address), owner);
  });
  const contacts: (ContactValues & { id: ContactId })[] = [];
  const made: (Address & { contact: ContactId })[] = [];
  const ids = people.map(({ addresses, name }) => {
    for (const address of addresses) {
      const id = known.get(nameOf(address));
      if (id !== undefined) return id;
    }
    const id = newId<ContactId>();
    contacts.push({ id, name, external_id: null, language: null, attributes: {} });
    for (const address of addresses) {
      known.set(nameOf(address), id);
      made.push({ ...address, contact: id });
    }
    return id;
  });
  if (contacts.length > 0) {
    await insertContacts(tx, tenant, contacts);
    await insertContactAddresses(tx, tenant, made);
  }
  return ids;
}

function nameOf({ kind, value }: Address): string {
  return `${kind} ${value}`;
}

import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { Consent } from '../domain/consent.ts';
import type { ContactId, TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { type GivenConsent, MOST_CONTACTS, tell, writeConsents } from './consent.ts';
import { contactsOf, type Person } from './people.ts';

/** What somebody said who is known by his addresses only. */
export interface SaidBy extends Omit<Consent, 'tenant' | 'contact'> {
  person: Person;
}

/** `contacts`: whose word each was, in the order given. */
export interface GivenList extends GivenConsent {
  contacts: ContactId[];
}

/**
 * Keeps what people said who are named by address; those that nobody knows become contacts, so that what they refused holds
 * when they are written to. A list is stored in parts, each whole or not at all.
 */
export async function giveConsentsByAddress(
  { db, signals }: { db: Db; signals: Signals },
  tenant: TenantId,
  said: readonly SaidBy[],
): Promise<GivenList> {
  const given: GivenList = { contacts: [], settled: [], stopped: 0 };
  for (let i = 0; i < said.length; i += MOST_CONTACTS) {
    const part = said.slice(i, i + MOST_CONTACTS);
    const written = await retryingOnConflict(() =>
      db.transaction(async (tx) => {
        const contacts = await contactsOf(
          tx,
          tenant,
          part.map(({ person }) => person),
        );
        const consents = part.map(({ person: _, ...consent }, n): Consent => {
          return { ...consent, tenant, contact: contacts[n] as ContactId };
        });
        return { contacts, ...(await writeConsents(tx, consents)) };
      }),
    );
    tell(signals, written.stopped);
    given.contacts.push(...written.contacts);
    given.settled.push(...written.settled);
    given.stopped += written.stopped.length;
  }
  return given;
}

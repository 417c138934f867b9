import { type Db, isUniqueViolation, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { Consent } from '../domain/consent.ts';
import { AldisError } from '../domain/errors.ts';
import { type ContactId, newId, type SenderId, type TenantId } from '../domain/ids.ts';
import { opaqueFlaw } from '../domain/opaque.ts';
import type { Signals } from '../signals/signals.ts';
import type { BlockedUserRow } from '../store/blocked-users.read.ts';
import { type ContactRecord, findContactRecord, listContacts } from '../store/contact-records.read.ts';
import {
  type Address,
  type ContactValues,
  findContactsByAddress,
  insertContactAddresses,
  insertContacts,
  updateContact,
} from '../store/contacts.write.ts';
import { setBlocked } from './blocked-users.ts';
import { type GivenConsent, giveConsents } from './consent.ts';
import { type GivenList, giveConsentsByAddress, type SaidBy } from './consent-lists.ts';

/** What a new contact may be given: one of the first three at least. */
export interface NewContact extends Partial<ContactValues> {
  phone?: string | undefined;
  user_id?: string | undefined;
}

/** What a change of a contact says: what is absent stays. Attributes are merged; null takes one away. */
export type ContactChange = Partial<ContactValues>;

export interface ContactActions {
  /**
   * Finds the contact that has one of these names, or makes one. What is given and was not there is added; what was there stays.
   * `two`: the names belong to different contacts. `made` false: it was there.
   * @throws {AldisError} `invalid_field` for attributes beyond their limits.
   */
  findOrMake(tenant: TenantId, contact: NewContact): Promise<{ contact: ContactRecord; made: boolean } | 'two'>;
  /**
   * Changes what is named. @param reference own or external id.
   * @throws {AldisError} `invalid_field` for attributes beyond their limits.
   */
  change(tenant: TenantId, reference: string, change: ContactChange): Promise<ContactRecord | 'not_found' | 'exists'>;
  /** Keeps what a contact said, and stops what he gets none of any more. */
  consent(consent: Consent): Promise<GivenConsent>;
  /** The same of many people who are named by address. */
  consentList(tenant: TenantId, said: readonly SaidBy[]): Promise<GivenList>;
  /** Records that a sender is to block a contact, or to let him write again. */
  setBlocked(tenant: TenantId, sender: SenderId, contact: ContactId, blocked: boolean): Promise<BlockedUserRow>;
}

const EMPTY: ContactValues = { external_id: null, name: null, language: null, attributes: {} };

export function createContacts(deps: { db: Db; signals: Signals }): ContactActions {
  const { db } = deps;
  return {
    consent: (consent) => giveConsents(deps, [consent]),
    consentList: (tenant, said) => giveConsentsByAddress(deps, tenant, said),
    setBlocked: (...asked) => setBlocked(deps, ...asked),
    findOrMake: (tenant, contact) =>
      retryingOnConflict(() => db.transaction((tx) => findOrMakeContact(tx, tenant, contact))),
    change: (tenant, reference, change) =>
      retryingOnConflict(() =>
        orExists(
          db.transaction(async (tx) => {
            const before = await findContactRecord(tx, tenant, reference);
            if (before === null) return 'not_found';
            const attributes = mergeAttributes(before.attributes, change.attributes ?? {});
            await updateContact(tx, tenant, before.id, { ...before, ...change, attributes });
            return written(await findContactRecord(tx, tenant, before.id));
          }),
        ),
      ),
  };
}

async function findOrMakeContact(
  tx: Queryable,
  tenant: TenantId,
  { phone, user_id, ...given }: NewContact,
): Promise<{ contact: ContactRecord; made: boolean } | 'two'> {
  const addresses: Address[] = [];
  if (phone !== undefined) addresses.push({ kind: 'phone', value: phone });
  if (user_id !== undefined) addresses.push({ kind: 'bsuid', value: user_id });
  const owners = await findContactsByAddress(tx, tenant, addresses);
  const { external_id = null } = given;
  const named = external_id === null ? null : await findByExternalId(tx, tenant, external_id);
  const known = new Set([...owners, named?.id ?? null].filter((id) => id !== null));
  if (known.size > 1) return 'two';
  const [id = newId<ContactId>()] = known;
  const before = known.size === 0 ? null : (named ?? written(await findContactRecord(tx, tenant, id)));
  if (before === null) {
    const attributes = mergeAttributes({}, given.attributes ?? {});
    await insertContacts(tx, tenant, [{ ...EMPTY, ...given, id, attributes }]);
  } else {
    if (external_id !== null && before.external_id !== null && before.external_id !== external_id) return 'two';
    const attributes = mergeAttributes(mergeAttributes({}, given.attributes ?? {}), before.attributes);
    await updateContact(tx, tenant, id, {
      external_id: before.external_id ?? external_id,
      name: before.name ?? given.name ?? null,
      language: before.language ?? given.language ?? null,
      attributes,
    });
  }
  const missing = addresses.filter((_, i) => owners[i] === null).map((address) => ({ ...address, contact: id }));
  if (missing.length > 0) await insertContactAddresses(tx, tenant, missing);
  return { contact: written(await findContactRecord(tx, tenant, id)), made: before === null };
}

/** Not by what finds own ids too: an external id may look like one. */
async function findByExternalId(tx: Queryable, tenant: TenantId, external_id: string): Promise<ContactRecord | null> {
  const { contacts } = await listContacts(tx, tenant, { external_id }, null, 1);
  return contacts[0] ?? null;
}

const MOST_ATTRIBUTES = 100;
/** Of all attributes of a contact, as JSON. */
const MOST_BYTES = 4096;

/** Attributes with changes. A change to null takes one away. @throws {AldisError} `invalid_field` beyond the limits. */
function mergeAttributes(
  before: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(change)) {
    if (value === null) merged.delete(name);
    else merged.set(name, value);
  }
  const attributes = Object.fromEntries(merged);
  if (merged.size > MOST_ATTRIBUTES) {
    throw new AldisError('invalid_field', `attributes must be at most ${MOST_ATTRIBUTES}, but are ${merged.size}.`, {
      field: 'attributes',
      details: { limit: MOST_ATTRIBUTES },
    });
  }
  const flaw = opaqueFlaw(attributes, MOST_BYTES);
  if (flaw) {
    const field = `attributes${flaw.path}`;
    throw new AldisError('invalid_field', `${field} ${flaw.flaw}.`, { field, details: { limit: MOST_BYTES } });
  }
  return attributes;
}

async function orExists<T>(write: Promise<T>): Promise<T | 'exists'> {
  try {
    return await write;
  } catch (error) {
    if (isUniqueViolation(error, 'contacts_external')) return 'exists';
    throw error;
  }
}

function written(row: ContactRecord | null): ContactRecord {
  if (row === null) throw new Error('a contact that was just written is not there');
  return row;
}

import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import { type Caps, capsOf, NO_CAPS } from '../domain/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import { findDefaultSender, findSenders, type SenderRow } from '../store/senders.read.ts';
import { createExpiringCache } from './expiring-cache.ts';

/** An own or external id, or undefined for the tenant's default sender. */
export type SenderReference = string | undefined;

/** A sender as requests need it: with the limits that its messages count against, or null without any. */
export interface Sender extends SenderRow {
  caps: Caps | null;
}

/** Which sender a request means. What was found is believed for 5 s. */
export interface SenderDirectory {
  /** The sender if it is known without asking the store; undefined when that has to be asked. */
  known(tenant: TenantId, reference: SenderReference): Sender | undefined;
  /** The senders of these references; those that do not exist are absent. Asks the store once, if at all. */
  resolve(tenant: TenantId, references: Iterable<SenderReference>): Promise<Map<SenderReference, Sender>>;
  /** The same of those that are known here, whoever else might be asked: for whoever only reads. */
  find(tenant: TenantId, references: Iterable<SenderReference>): Promise<Map<SenderReference, Sender>>;
  /** Believes nothing any more of what was found: senders were changed. */
  forget(): void;
}

export interface SenderDirectoryDeps {
  db: Queryable;
  clock: Clock;
  /** The configuration's limits, for tenants and senders without own ones. Absent: none. */
  limits?: Caps;
}

const BELIEVED = 5_000;
const REMEMBERED = 10_000;

/** Makes the directory of one instance. */
export function createSenderDirectory({ db, clock, limits = NO_CAPS }: SenderDirectoryDeps): SenderDirectory {
  const cache = createExpiringCache<Sender>({ ttl: BELIEVED, limit: REMEMBERED, clock });
  // Tenant ids are all of one length, so that no two pairs make one name.
  const nameOf = (tenant: TenantId, reference: SenderReference) =>
    reference === undefined ? tenant : `${tenant}${reference}`;

  const withCaps = (row: SenderRow): Sender => ({
    ...row,
    caps: capsOf({ monthly: row.monthly_quota, daily: row.per_day }, limits),
  });
  let forgotten = 0;

  async function find(tenant: TenantId, references: Iterable<SenderReference>): Promise<Map<SenderReference, Sender>> {
    const before = forgotten;
    const found = new Map<SenderReference, Sender>();
    const unknown: string[] = [];
    for (const reference of new Set(references)) {
      const sender = cache.get(nameOf(tenant, reference));
      if (sender) found.set(reference, sender);
      else if (reference !== undefined) unknown.push(reference);
      else {
        const preset = await findDefaultSender(db, tenant);
        if (preset) found.set(undefined, withCaps(preset));
      }
    }
    if (unknown.length > 0) {
      for (const [reference, sender] of await findSenders(db, tenant, unknown)) found.set(reference, withCaps(sender));
    }
    // What was read before a change was told of may be what was changed.
    if (before === forgotten) for (const [reference, sender] of found) cache.set(nameOf(tenant, reference), sender);
    return found;
  }

  return {
    known: (tenant, reference) => cache.get(nameOf(tenant, reference)),
    resolve: find,
    find,
    forget() {
      forgotten++;
      cache.clear();
    },
  };
}

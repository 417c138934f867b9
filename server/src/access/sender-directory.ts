import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { findDefaultSender, findSenders, type SenderRow } from '../store/senders.read.ts';
import { createExpiringCache } from './expiring-cache.ts';

/** An own or external id, or undefined for the tenant's default sender. */
export type SenderReference = string | undefined;

/** Which sender a request means. What was found is believed for 5 s. */
export interface SenderDirectory {
  /** The sender if it is known without asking the store; undefined when that has to be asked. */
  known(tenant: TenantId, reference: SenderReference): SenderRow | undefined;
  /** The senders of these references; those that do not exist are absent. Asks the store once, if at all. */
  resolve(tenant: TenantId, references: Iterable<SenderReference>): Promise<Map<SenderReference, SenderRow>>;
  /** Believes nothing any more of what was found: senders were changed. */
  forget(): void;
}

export interface SenderDirectoryDeps {
  db: Queryable;
  clock: Clock;
}

const BELIEVED = 5_000;
const REMEMBERED = 10_000;

/** Makes the directory of one instance. */
export function createSenderDirectory({ db, clock }: SenderDirectoryDeps): SenderDirectory {
  const cache = createExpiringCache<SenderRow>({ ttl: BELIEVED, limit: REMEMBERED, clock });
  // Tenant ids are all of one length, so that no two pairs make one name.
  const nameOf = (tenant: TenantId, reference: SenderReference) =>
    reference === undefined ? tenant : `${tenant}${reference}`;

  let forgotten = 0;

  return {
    known: (tenant, reference) => cache.get(nameOf(tenant, reference)),
    async resolve(tenant, references) {
      const before = forgotten;
      const found = new Map<SenderReference, SenderRow>();
      const unknown: string[] = [];
      for (const reference of new Set(references)) {
        const sender = cache.get(nameOf(tenant, reference));
        if (sender) found.set(reference, sender);
        else if (reference !== undefined) unknown.push(reference);
        else {
          const preset = await findDefaultSender(db, tenant);
          if (preset) found.set(undefined, preset);
        }
      }
      if (unknown.length > 0) {
        for (const [reference, sender] of await findSenders(db, tenant, unknown)) found.set(reference, sender);
      }
      // What was read before a change was told of may be what was changed.
      if (before === forgotten) for (const [reference, sender] of found) cache.set(nameOf(tenant, reference), sender);
      return found;
    },
    forget() {
      forgotten++;
      cache.clear();
    },
  };
}

import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { newId, type SenderId, type TenantId } from '../domain/ids.ts';
import { type Sealer, WrongKey } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { forgetNumberFact } from '../store/connections.write.ts';
import {
  findNamedNumber,
  findNumberOwner,
  insertOutletSender,
  nameOutletSender,
  type OutletSender,
  renewOutletSender,
} from '../store/outlets.write.ts';
import { ensureLane } from '../store/senders.write.ts';
import { DEFAULT_APP, place } from './set-up.ts';

export interface AdoptDeps {
  db: Db;
  signals: Signals;
  sealer: Sealer;
}

/**
 * Makes an outlet that the tenant service told of a sender of its tenant, or renews the credentials of the one it is. A
 * sender that a person made or the configuration names keeps its token: it only gets the outlet's name, if it has none.
 * @returns the sender, or `taken` when its number is another tenant's.
 */
export function adoptOutlet(
  { db, signals, sealer }: AdoptDeps,
  tenant: TenantId,
  outlet: { name: string; phone_number_id: string; access_token: string },
): Promise<SenderId | 'taken'> {
  const { name, phone_number_id: number, access_token } = outlet;
  const seal = (id: SenderId) => sealer.seal(access_token, place.accessToken(tenant, id));

  async function make(tx: Queryable): Promise<SenderId> {
    const id = newId<SenderId>();
    // Which portfolio it is of is not known: it shares its limits with no other.
    const lane = await ensureLane(tx, number);
    await insertOutletSender(tx, tenant, { id, name, lane, app: DEFAULT_APP, number, sealed: seal(id) });
    return id;
  }

  async function renew(tx: Queryable, before: OutletSender): Promise<boolean> {
    if (!before.from_outlet) return false;
    if (before.phone_number_id === number && opens(sealer, before) === access_token) return false;
    await renewOutletSender(tx, tenant, before.id, number, seal(before.id));
    await forgetNumberFact(tx, tenant, before.id);
    return true;
  }

  return retryingOnConflict(async () => {
    const { id, changed } = await db.transaction(async (tx): Promise<{ id: SenderId | 'taken'; changed: boolean }> => {
      const owner = await findNumberOwner(tx, DEFAULT_APP, number);
      if (owner && owner.tenant_id !== tenant) return { id: 'taken', changed: false };
      const named = await findNamedNumber(tx, tenant, name);
      const before = owner ?? named;
      if (before === null) return { id: await make(tx), changed: true };
      const naming = before.external_id === null && named === null;
      if (naming) await nameOutletSender(tx, tenant, before.id, name);
      return { id: before.id, changed: (await renew(tx, before)) || naming };
    });
    if (changed) signals.notify('senders');
    return id;
  });
}

/** The token of a sender, or null when no key at hand opens it. */
function opens(sealer: Sealer, { tenant_id, id, access_token_sealed }: OutletSender): string | null {
  try {
    return sealer.open(access_token_sealed, place.accessToken(tenant_id, id));
  } catch (error) {
    if (error instanceof WrongKey) return null;
    throw error;
  }
}

import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Sealer } from '../runtime/sealer.ts';
import { insertAccountIfNone, replaceInvalidToken } from '../store/accounts.write.ts';
import { place } from './sealed-places.ts';

/** Milliseconds in which another instance may still send with the token before, or give work to the lane before. */
export const TEND = 10_000;

/** What else an old record has is none of WhatsApp's. */
const ACCOUNT_ID = /^\d{5,20}$/;

/**
 * Makes the account of a number that somebody made a sender, with the number's token, unless anybody has it: its facts are then
 * kept fresh. Its other numbers are nobody's for that. An account of the tenant whose own token is no good takes this one.
 */
export async function ensureAccount(
  tx: Queryable,
  sealer: Sealer,
  tenant: TenantId,
  { account, app, access_token }: { account: string; app: string; access_token: string },
): Promise<void> {
  if (!ACCOUNT_ID.test(account)) return;
  const sealed = sealer.seal(access_token, place.accountToken(tenant, account));
  const row = { id: account, app, portfolio_id: null, add_numbers: false, subscribe_wanted: true, sealed };
  await insertAccountIfNone(tx, tenant, row);
  await replaceInvalidToken(tx, tenant, account, sealed);
}

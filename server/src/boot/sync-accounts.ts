import { place } from '../actions/set-up.ts';
import { accountReader } from '../channels/whatsapp/account-reader.ts';
import { createSyncAccounts } from '../jobs/sync-accounts.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import { findTokenExpiries } from '../store/accounts.read.ts';
import type { Common } from './engine.ts';

/** Milliseconds: shorter than a stop may take. A question without an answer is asked again. */
const TIMEOUT = 3000;
/** Tokens in the metrics: those that expire next. */
const MOST_TOLD = 50;

/** The job that keeps accounts and their numbers fresh. @param apiUrl where the provider is. */
export function buildSyncAccounts(
  config: Config,
  { db, signals, logger, metrics }: Common,
  { sealer, apiUrl }: { sealer: Sealer; apiUrl: string },
): Part {
  const { api_version, request_timeout, sync_interval } = config.whatsapp;
  metrics.onScrape('accounts', async () => {
    const expiries = await findTokenExpiries(db, MOST_TOLD);
    metrics.tokenExpires.replace(expiries.map(({ account, seconds }) => ({ value: seconds, labels: { account } })));
  });
  return createSyncAccounts({
    db,
    signals,
    logger: logger.child({ part: 'sync of accounts' }),
    reader: accountReader({ origin: apiUrl, version: api_version, timeout: Math.min(request_timeout, TIMEOUT) }),
    sealer,
    open: ({ tenant_id, id, app_id, meta_app_id, access_token_sealed, app_secret_sealed }) => ({
      access_token: sealer.open(access_token_sealed, place.accountToken(tenant_id, id)),
      // Its secret is of use only where the app's own id is known.
      app: {
        meta_id: meta_app_id,
        secret: meta_app_id === null ? null : sealer.open(app_secret_sealed, place.appSecret(app_id)),
      },
    }),
    every: sync_interval,
  });
}

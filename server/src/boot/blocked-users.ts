import { place } from '../actions/set-up.ts';
import { whatsappBlocker } from '../channels/whatsapp/block-api.ts';
import { createBlockedUsers } from '../jobs/blocked-users.ts';
import { providerClient } from '../net/provider-client.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Milliseconds: shorter than a stop may take. What was told twice does no harm. */
const TIMEOUT = 3000;
/** Milliseconds. What this instance was asked for is told at once; the rest is only waited for, or left behind. */
const POLL = 5000;

/** The job that tells WhatsApp whom senders block. @param apiUrl where the provider is. */
export function buildBlockedUsers(
  config: Config,
  { db, signals, logger }: Common,
  { sealer, apiUrl }: { sealer: Sealer; apiUrl: string },
): Part {
  const { backoff_base: base, backoff_cap: cap } = config.engine;
  return createBlockedUsers({
    db,
    signals,
    logger: logger.child({ part: 'blocked users' }),
    blocker: whatsappBlocker({
      client: providerClient({
        origin: apiUrl,
        connections: 1,
        timeout: Math.min(config.whatsapp.request_timeout, TIMEOUT),
      }),
      version: config.whatsapp.api_version,
    }),
    retry: { base, cap },
    openToken: (task) => sealer.open(task.access_token_sealed, place.accessToken(task.tenant_id, task.sender_id)),
    pollInterval: POLL,
  });
}

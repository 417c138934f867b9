import { place } from '../actions/set-up.ts';
import { numberCheck } from '../channels/whatsapp/number-check.ts';
import { createCheckSenders } from '../jobs/check-senders.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Milliseconds: shorter than a stop may take. A question without an answer is asked again. */
const TIMEOUT = 3000;

/** The job that learns which numbers are connected. @param apiUrl where the provider is. */
export function buildCheckSenders(
  config: Config,
  { db, signals, logger }: Common,
  { sealer, apiUrl }: { sealer: Sealer; apiUrl: string },
): Part {
  const { api_version, request_timeout, check_interval } = config.whatsapp;
  return createCheckSenders({
    db,
    signals,
    logger: logger.child({ part: 'check of senders' }),
    channel: numberCheck({ origin: apiUrl, version: api_version, timeout: Math.min(request_timeout, TIMEOUT) }),
    openToken: ({ tenant_id, id, access_token_sealed }) =>
      sealer.open(access_token_sealed, place.accessToken(tenant_id, id)),
    every: check_interval,
  });
}

import { place } from '../actions/set-up.ts';
import { whatsappReadMarker } from '../channels/whatsapp/read-marker.ts';
import { createReadMarks } from '../jobs/read-marks.ts';
import { providerClient } from '../net/provider-client.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Connections of their own, and few: what is read takes no room from what is sent. */
const CONNECTIONS = 4;
/** Milliseconds: shorter than a stop may take. A mark that was told twice does no harm. */
const TIMEOUT = 3000;

/** The job that tells WhatsApp what was read. @param apiUrl where the provider is. */
export function buildReadMarks(
  config: Config,
  { db, signals, logger }: Common,
  { sealer, apiUrl }: { sealer: Sealer; apiUrl: string },
): Part {
  const { backoff_base: base, backoff_cap: cap } = config.engine;
  return createReadMarks({
    db,
    signals,
    logger: logger.child({ part: 'read marks' }),
    marker: whatsappReadMarker({
      client: providerClient({
        origin: apiUrl,
        connections: CONNECTIONS,
        timeout: Math.min(config.whatsapp.request_timeout, TIMEOUT),
      }),
      version: config.whatsapp.api_version,
    }),
    retry: { base, cap },
    openToken: (mark) => sealer.open(mark.access_token_sealed, place.accessToken(mark.tenant_id, mark.sender_id)),
    pollInterval: POLL,
  });
}

/** Milliseconds. A mark of this instance is told at once; others are only waited for, or left behind by an instance. */
const POLL = 5000;

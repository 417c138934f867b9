import { createConsentKeywords } from '../actions/consent-keywords.ts';
import type { Db } from '../db/pool.ts';
import type { AfterReceive } from '../domain/inbound-message.ts';
import { createProviderStops, type ProviderStops } from '../jobs/provider-stops.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Config } from '../runtime/settings.ts';
import type { Signals } from '../signals/signals.ts';

interface Deps {
  db: Db;
  signals: Signals;
  logger: Logger;
}

/** What hears of consent beside the routes: customers' words, and the provider's refusals. */
export interface Consenting {
  /** null: customers' messages are not read for keywords. */
  afterReceive: AfterReceive | null;
  stops: ProviderStops;
}

/** Made by the engine, which hands it what every part is built from. */
export function buildConsent(config: Config, { db, signals, logger }: Deps): Consenting {
  const { keyword_scope: scope, opt_out_keywords: opt_out, opt_in_keywords: opt_in } = config.consent;
  const stops = createProviderStops({ db, signals, logger: logger.child({ part: 'provider stops' }) });
  if (scope === 'off') return { afterReceive: null, stops };
  const keywords = createConsentKeywords({ db, signals, keywords: { opt_out, opt_in }, scope });
  return { afterReceive: keywords.apply, stops };
}

import { place } from '../actions/set-up.ts';
import { sampleUpload } from '../channels/whatsapp/sample-upload.ts';
import { templateApi } from '../channels/whatsapp/template-api.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import { createTemplatesJob } from '../jobs/templates.ts';
import { fileClient } from '../net/file-client.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Milliseconds: a page of templates takes WhatsApp some seconds. What has no answer is asked again. */
const TIMEOUT = 20_000;
/** For all of a sample, and without any progress of it. */
const FILE_TIMEOUT = 60_000;
const STALL = 30_000;
const CONNECTIONS = 2;

/** The job that keeps templates in line with WhatsApp. @param apiUrl where the provider is. */
export function buildTemplates(
  config: Config,
  { db, signals, logger }: Common,
  { sealer, apiUrl, files }: { sealer: Sealer; apiUrl: string; files: MediaFiles },
): Part {
  const { api_version, request_timeout, sync_interval } = config.whatsapp;
  const { backoff_base: base, backoff_cap: cap } = config.engine;
  return createTemplatesJob({
    db,
    signals,
    logger: logger.child({ part: 'templates' }),
    provider: templateApi({ origin: apiUrl, version: api_version, timeout: Math.min(request_timeout, TIMEOUT) }),
    samples: {
      files,
      uploader: sampleUpload({
        client: fileClient({ connections: CONNECTIONS, stall: STALL }),
        origin: apiUrl,
        version: api_version,
        timeout: Math.min(request_timeout, TIMEOUT),
        fileTimeout: FILE_TIMEOUT,
      }),
    },
    openToken: ({ tenant_id, id, access_token_sealed }) =>
      sealer.open(access_token_sealed, place.accountToken(tenant_id, id)),
    retry: { base, cap },
    every: sync_interval,
  });
}

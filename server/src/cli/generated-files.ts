import { schemaText } from '../db/dump-schema.ts';
import type { Db } from '../db/pool.ts';
import { websocketPage } from '../fanout/websocket/websocket-page.ts';
import { errorsDocument, openapiDocument } from '../http/documents.ts';
import { runtimePages } from '../runtime/runtime-pages.ts';
import { eventsPage } from './events-page.ts';
import { explainPage } from './explain-page.ts';
import { providerCodesPage } from './provider-codes-page.ts';

/**
 * Every committed file that is made of the code, by its path in the project. Tests hold each equal to what is made here.
 * @param db a migrated database: the schema is read from it.
 */
export async function generatedFiles(db: Db): Promise<Record<string, string>> {
  return {
    ...runtimePages(),
    'docs/errors.md': errorsDocument(),
    'docs/events.md': eventsPage(),
    'docs/explain.md': explainPage(),
    'docs/openapi.json': await openapiDocument(),
    'docs/provider-codes.md': providerCodesPage(),
    'docs/websocket.md': websocketPage(),
    'server/src/db/schema.sql': await schemaText(db),
  };
}

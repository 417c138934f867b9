import { createExports } from '../actions/exports.ts';
import { messageView } from '../domain/message-view.ts';
import type { ObjectStore } from '../domain/object-store.ts';
import { ContactObject, contactView } from '../http/contact-view.ts';
import type { HttpDeps } from '../http/http-deps.ts';
import { MessageObject } from '../http/message-view.ts';
import { createExportJob } from '../jobs/exports.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** Lists that are written to files: what the door needs of them, and the job that writes. */
export interface Exports {
  door: HttpDeps['exports'];
  job: Part;
}

/** Milliseconds. An export of this instance is begun at once; others are left behind by an instance that is gone. */
const POLL = 5000;

/** An export has what the API shows: its views, and their fields as columns. @param store where the files lie. */
export function buildExports(config: Config, { db, signals, logger, instance }: Common, store: ObjectStore): Exports {
  const keep = config.exports.retention;
  return {
    door: { actions: createExports({ db, signals, keep }), files: store },
    job: createExportJob({
      db,
      signals,
      logger: logger.child({ part: 'exports' }),
      instance,
      store,
      views: { messages: messageView, contacts: contactView },
      columns: {
        messages: Object.keys(MessageObject.properties),
        contacts: Object.keys(ContactObject.properties),
      },
      keep,
      pollInterval: POLL,
    }),
  };
}

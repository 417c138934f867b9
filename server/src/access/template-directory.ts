import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { FoundTemplate } from '../domain/template-check.ts';
import type { Clock } from '../runtime/clock.ts';
import { findNamedTemplates, type TemplateKey } from '../store/templates.read.ts';
import { createExpiringCache } from './expiring-cache.ts';

/** What is known of the templates that messages name. What was found is believed for 5 s, or until templates change here. */
export interface TemplateDirectory {
  /** What is known without asking the store; undefined when that has to be asked. */
  known(tenant: TenantId, account: string, name: string, language: string): FoundTemplate | undefined;
  /** The same of many, in the order asked. Asks the store once, if at all. */
  resolve(tenant: TenantId, asked: readonly TemplateKey[]): Promise<FoundTemplate[]>;
  /** Believes nothing any more of what was found: templates were changed. */
  forget(): void;
}

export interface TemplateDirectoryDeps {
  db: Queryable;
  clock: Clock;
}

const BELIEVED = 5_000;
/** A template is some kilobytes. */
const REMEMBERED = 5_000;

/** Makes the directory of one instance. */
export function createTemplateDirectory({ db, clock }: TemplateDirectoryDeps): TemplateDirectory {
  const cache = createExpiringCache<FoundTemplate>({ ttl: BELIEVED, limit: REMEMBERED, clock });
  // None of the parts has a line break: ids and accounts by their form, names and languages by the request's check.
  const nameOf = (tenant: TenantId, account: string, name: string, language: string) =>
    `${tenant}\n${account}\n${name}\n${language}`;
  let forgotten = 0;

  return {
    known: (tenant, account, name, language) => cache.get(nameOf(tenant, account, name, language)),
    async resolve(tenant, asked) {
      const before = forgotten;
      const answers = new Map<string, FoundTemplate>();
      const unknown = new Map<string, TemplateKey>();
      for (const key of asked) {
        const called = nameOf(tenant, key.account, key.name, key.language);
        const known = cache.get(called);
        if (known) answers.set(called, known);
        else unknown.set(called, key);
      }
      if (unknown.size > 0) {
        const found = await findNamedTemplates(db, tenant, [...unknown.values()]);
        [...unknown.keys()].forEach((called, i) => {
          const template = found[i] ?? 'unsynced';
          answers.set(called, template);
          // What was read before a change was told of may be what was changed.
          if (before === forgotten) cache.set(called, template);
        });
      }
      return asked.map(
        ({ account, name, language }) => answers.get(nameOf(tenant, account, name, language)) ?? 'unsynced',
      );
    },
    forget() {
      forgotten++;
      cache.clear();
    },
  };
}

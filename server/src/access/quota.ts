import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';
import type { TenantService } from '../outside/tenant-service.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { findTenant } from '../store/tenants.read.ts';
import { createAskedOnce } from './asked-once.ts';

/**
 * What the tenant service says of a quota. `unchecked`: it did not answer, and the message is accepted nevertheless;
 * `unavailable`: it did not, and the message is not.
 */
export type QuotaVerdict = 'allowed' | 'exceeded' | 'unchecked' | 'unavailable';

/** Whether a tenant may send now. */
export interface Quota {
  check(tenant: TenantId): Promise<QuotaVerdict>;
}

export interface TenantServiceDeps {
  service: TenantService;
  db: Queryable;
  clock: Clock;
  logger: Pick<Logger, 'warn'>;
  /** Milliseconds its answers are believed, and that it did not answer. */
  cache: number;
}

const REMEMBERED = 10_000;

export function createQuota(deps: TenantServiceDeps & { whenDown: 'allow' | 'refuse' }): Quota {
  const { service, db, clock, logger, cache, whenDown } = deps;
  const verdicts = createAskedOnce<QuotaVerdict>({ ttl: cache, limit: REMEMBERED, clock });

  async function ask(tenant: TenantId): Promise<QuotaVerdict> {
    const answer = await service.checkQuota(await outsideName(db, tenant));
    if (answer.kind === 'quota') return answer.allowed ? 'allowed' : 'exceeded';
    const about = { tenant_id: tenant, detail: answer.detail };
    logger.warn(about, `the tenant service did not tell of a quota: messages are ${DOWN[whenDown].text}`);
    return DOWN[whenDown].verdict;
  }

  return { check: (tenant) => verdicts.ask(tenant, () => ask(tenant)) };
}

const DOWN = {
  allow: { verdict: 'unchecked', text: 'accepted unchecked' },
  refuse: { verdict: 'unavailable', text: 'refused' },
} as const;

/** What a tenant is called outside: its external id, or its own where it has none. */
export async function outsideName(db: Queryable, tenant: TenantId): Promise<string> {
  return (await findTenant(db, tenant))?.external_id ?? tenant;
}

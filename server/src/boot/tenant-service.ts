import { createOutletDirectory } from '../access/outlet-directory.ts';
import { createQuota, type Quota } from '../access/quota.ts';
import type { SenderDirectory } from '../access/sender-directory.ts';
import { adoptOutlet } from '../actions/adopt-outlet.ts';
import { tenantService } from '../outside/tenant-service.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** What asks the tenant service, or null when the configuration names none. */
export function buildTenantService(
  config: Pick<Config, 'tenant_service'>,
  common: Pick<Common, 'db' | 'signals' | 'clock' | 'logger'> & { sealer: Sealer; senders: SenderDirectory },
): { quota: Quota; senders: SenderDirectory } | null {
  const { url, timeout, cache, when_down } = config.tenant_service;
  if (url === null) return null;
  const deps = { ...common, service: tenantService(url, timeout), cache };
  return {
    quota: createQuota({ ...deps, whenDown: when_down }),
    senders: createOutletDirectory({ ...deps, adopt: (tenant, outlet) => adoptOutlet(common, tenant, outlet) }),
  };
}

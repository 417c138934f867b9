import type { Queryable } from '../db/pool.ts';
import type { TenantId } from '../domain/ids.ts';

const set = {
  name: 'processor_set',
  text: 'update tenants set processing = $2 where id = $1 and processing <> $2 returning id',
};

/** Lets a tenant's messages leave, or not. Gives whether that changed anything. */
export async function writeProcessing(tx: Queryable, tenant: TenantId, processing: boolean): Promise<boolean> {
  return (await tx.query<{ id: TenantId }>(set, [tenant, processing])).length === 1;
}

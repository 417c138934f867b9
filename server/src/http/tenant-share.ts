import { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';

/** Seconds after which it is worth trying again. */
const SOON = 5;

/**
 * Lets each tenant do so many of a dear thing at once, so that none takes all the room there is.
 * @returns what does it. @throws {AldisError} `overloaded` when the tenant does as many already; whatever `work` throws.
 */
export function shareOfTenants(most: number): <T>(tenant: TenantId, work: () => Promise<T>) => Promise<T> {
  const atWork = new Map<TenantId, number>();
  return async (tenant, work) => {
    const others = atWork.get(tenant) ?? 0;
    if (others >= most) throw new AldisError('overloaded', undefined, { retryAfter: SOON });
    atWork.set(tenant, others + 1);
    try {
      return await work();
    } finally {
      const left = (atWork.get(tenant) ?? 1) - 1;
      if (left > 0) atWork.set(tenant, left);
      else atWork.delete(tenant);
    }
  };
}

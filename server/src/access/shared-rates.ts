import type { TenantId } from '../domain/ids.ts';
import type { RequestBucket, RequestRate } from '../domain/request-rate.ts';

/**
 * Rates of requests that hold over all instances together. Each still decides by a bucket of its own, at once and without asking
 * anybody; what it let through is taken from the tenant's shared bucket a moment later, and what is left there becomes what is left
 * here.
 *
 * So it is exact in the mean and not in the moment: until the instances have heard of each other, some 30 ms, each may let a whole
 * burst through. What was too much makes the shared bucket owe, and nobody gets anything until that is paid back. While the
 * shared buckets are away each instance counts for itself, and what it let through meanwhile is forgiven.
 */
export interface SharedRates {
  /** Makes of an instance's bucket one that is kept in step with the tenant's shared one. */
  share(tenant: TenantId, bucket: RequestBucket): RequestBucket;
}

/** Buckets that all instances see. */
export interface RateStore {
  /** Whether they can be asked now. */
  readonly works: boolean;
  /**
   * Takes what was used from a tenant's bucket, which is full when it is new.
   * @returns what is left; below 0: it owes.
   * @throws when they do not answer.
   */
  spend(tenant: TenantId, used: number, rate: RequestRate): Promise<number>;
}

/** Milliseconds between two reckonings. The first request after a rest is reckoned at once. */
const EVERY = 25;
/** Tenants in one reckoning. */
const MOST_TOGETHER = 500;

/** A tenant's bucket here, and what was taken from it since the last reckoning. */
interface Share {
  tenant: TenantId;
  bucket: RequestBucket;
  used: number;
}

export function createSharedRates(store: RateStore): SharedRates {
  /** Those that were asked for something since their last reckoning: also those that gave nothing, for others may have less use of it now. */
  const touched = new Set<Share>();
  let reckoning = false;
  let reckonedAt = Number.NEGATIVE_INFINITY;

  function plan(): void {
    if (reckoning) return;
    reckoning = true;
    const wait = Math.max(0, reckonedAt + EVERY - performance.now());
    // A process that is to end does not wait for it.
    setTimeout(() => {
      reckonedAt = performance.now();
      void reckon().finally(() => {
        reckoning = false;
        if (touched.size > 0) plan();
      });
    }, wait).unref();
  }

  async function reckon(): Promise<void> {
    const turn: Share[] = [];
    for (const share of touched) {
      if (turn.length === MOST_TOGETHER) break;
      touched.delete(share);
      turn.push(share);
    }
    await Promise.all(turn.map(settle));
  }

  async function settle(share: Share): Promise<void> {
    const { tenant, bucket, used } = share;
    share.used = 0;
    if (!store.works) return;
    try {
      const left = await store.spend(tenant, used, bucket.rate);
      // What was let through while it was asked is not taken there yet.
      bucket.setLevel(left - share.used, performance.now());
    } catch {
      // Away: this instance's own bucket goes on alone.
    }
  }

  return {
    share(tenant, bucket) {
      const share: Share = { tenant, bucket, used: 0 };
      return {
        get rate() {
          return bucket.rate;
        },
        take(now) {
          const verdict = bucket.take(now);
          if (verdict.allowed) share.used++;
          touched.add(share);
          plan();
          return verdict;
        },
        setRate: bucket.setRate,
        setLevel: bucket.setLevel,
      };
    },
  };
}

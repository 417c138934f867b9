import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { EndpointId, SenderId, TenantId } from '../domain/ids.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import {
  countSecrets,
  listOtherSecrets,
  replaceSecret,
  type SecretKind,
  type StoredSecret,
} from '../store/secrets.write.ts';
import { place, SEALED_FACTS } from './sealed-places.ts';

/** What came of sealing every secret anew. */
export interface Resealed {
  /** Sealed anew now. */
  resealed: number;
  /** The newest key had sealed them before. */
  already: number;
  /** No key at hand opens them: they stay as they are. */
  failed: number;
}

/** Secrets of one transaction. */
const TOGETHER = 100;

/**
 * Seals every stored secret anew with the newest key, so that older ones can be taken out of the configuration. Some at a time:
 * what is done stays done, and the next run goes on with the rest.
 */
export function createReseal({
  db,
  signals,
  sealer,
}: {
  db: Db;
  signals: Signals;
  sealer: Sealer;
}): () => Promise<Resealed> {
  return async () => {
    const already = await countSecrets(db, SEALED_FACTS, sealer.newest);
    let resealed = 0;
    let failed = 0;
    let after: StoredSecret | null = null;
    for (;;) {
      const some: StoredSecret[] = await listOtherSecrets(db, SEALED_FACTS, sealer.newest, after, TOGETHER);
      const anew = some.flatMap((secret) => {
        const sealed = resealedOf(sealer, secret);
        return sealed === null ? [] : [{ secret, sealed }];
      });
      failed += some.length - anew.length;
      await failpoint('reseal.before_commit');
      resealed += await retryingOnConflict(() =>
        db.transaction(async (tx) => {
          let done = 0;
          for (const { secret, sealed } of anew) if (await replaceSecret(tx, secret, sealed)) done++;
          return done;
        }),
      );
      await failpoint('reseal.after_commit');
      after = some.at(-1) ?? null;
      if (some.length < TOGETHER) break;
    }
    signals.notify('senders');
    signals.notify('apps');
    signals.notify('webhooks');
    return { resealed, already, failed };
  };
}

function resealedOf(sealer: Sealer, secret: StoredSecret): Buffer | null {
  const where = PLACES[secret.kind](secret.first, secret.second);
  try {
    return sealer.seal(sealer.open(secret.sealed, where), where);
  } catch {
    return null;
  }
}

/** What a value is sealed for, by the keys of its row. */
const PLACES: Readonly<Record<SecretKind, (first: string, second: string) => string>> = {
  account_token: (tenant, account) => place.accountToken(tenant as TenantId, account),
  app_previous: place.appSecret,
  app_secret: place.appSecret,
  app_verify_token: place.verifyToken,
  fact: place.fact,
  sender_token: (tenant, sender) => place.accessToken(tenant as TenantId, sender as SenderId),
  webhook_key: (tenant, sender) => place.webhookKey(tenant as TenantId, sender as SenderId),
  endpoint_secret: (tenant, endpoint) => place.webhookSecret(tenant as TenantId, endpoint as EndpointId),
  endpoint_previous: (tenant, endpoint) => place.webhookSecret(tenant as TenantId, endpoint as EndpointId),
};

import { AldisError } from '../domain/errors.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import { createAskedOnce } from './asked-once.ts';
import { outsideName, type TenantServiceDeps } from './quota.ts';
import type { Sender, SenderDirectory, SenderReference } from './sender-directory.ts';

export interface OutletDirectoryDeps extends TenantServiceDeps {
  /** The senders that we know ourselves. */
  senders: SenderDirectory;
  /** Makes an outlet a sender, or renews its credentials. `taken`: its number is another tenant's. */
  adopt(tenant: TenantId, outlet: Outlet): Promise<SenderId | 'taken'>;
}

/** An outlet as the tenant service tells of it. */
export interface Outlet {
  name: string;
  phone_number_id: string;
  access_token: string;
}

const REMEMBERED = 10_000;
/** Of one request: more names that nobody knows are nobody's. */
const MOST_ASKED = 100;
const AT_ONCE = 8;

/** What came of asking about an outlet: the sender it is; null: there is none; undefined: there was no answer. */
type Found = SenderId | null | undefined;

/**
 * A directory of senders that asks the tenant service about those nobody here knows, and, now and then, whether the
 * credentials of those it told of have changed.
 */
export function createOutletDirectory(deps: OutletDirectoryDeps): SenderDirectory {
  const { senders, service, adopt, db, clock, logger, cache } = deps;
  const outlets = createAskedOnce<Found>({ ttl: cache, limit: REMEMBERED, clock });
  // Tenant ids are all of one length, so that no two pairs make one name.
  const nameOf = (tenant: TenantId, reference: string) => `${tenant}${reference}`;

  async function ask(tenant: TenantId, name: string): Promise<Found> {
    const answer = await service.findOutlet(await outsideName(db, tenant), name);
    if (answer.kind === 'unknown') return null;
    if (answer.kind === 'none') {
      logger.warn({ tenant_id: tenant, detail: answer.detail }, 'the tenant service did not tell of an outlet');
      return undefined;
    }
    const { phone_number_id, access_token } = answer;
    const adopted = await adopt(tenant, { name, phone_number_id, access_token });
    if (adopted !== 'taken') return adopted;
    logger.warn({ tenant_id: tenant, phone_number_id }, "an outlet's number is the sender of another tenant");
    return null;
  }

  /** Whether only the tenant service can tell about this name now. */
  const isAsked = (reference: SenderReference, sender: Sender | undefined): reference is string =>
    reference !== undefined && (sender === undefined || (sender.from_outlet && sender.id !== reference.toLowerCase()));

  return {
    known(tenant, reference) {
      const sender = senders.known(tenant, reference);
      if (!isAsked(reference, sender)) return sender;
      return outlets.known(nameOf(tenant, reference)) === sender?.id ? sender : undefined;
    },
    async resolve(tenant, references) {
      const names = new Set(references);
      const found = await senders.resolve(tenant, names);
      const asked = [...names].filter((name) => isAsked(name, found.get(name))).slice(0, MOST_ASKED);
      for (let from = 0; from < asked.length; from += AT_ONCE) {
        const some = asked.slice(from, from + AT_ONCE);
        const told = await Promise.all(some.map((name) => outlets.ask(nameOf(tenant, name), () => ask(tenant, name))));
        for (const [i, name] of some.entries()) {
          const id = told[i];
          const before = found.get(name);
          if (id === undefined) {
            // What was told before holds until it is taken back.
            if (!before) throw new AldisError('unavailable', NOT_TOLD, { field: 'sender_id', retryAfter: 1 });
          } else if (id === null) found.delete(name);
          else if (before?.id !== id) {
            const sender = (await senders.resolve(tenant, [id])).get(id);
            if (sender) found.set(name, sender);
          }
        }
      }
      return found;
    },
    find: (tenant, references) => senders.find(tenant, references),
    forget: () => senders.forget(),
  };
}

const NOT_TOLD = 'The tenant service, which may know this sender, does not answer; try again in a moment.';

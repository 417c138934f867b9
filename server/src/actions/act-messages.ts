import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, newId, type TenantId } from '../domain/ids.ts';
import { type Acted, changeByActs } from '../domain/inbound-acts.ts';
import type { ParkedReceipt } from '../domain/receipt.ts';
import type { Signals } from '../signals/signals.ts';
import { type ActTarget, type ActWrite, applyActs, findActTargets } from '../store/acts.write.ts';
import { deleteParkedReceipts, parkReceipts } from '../store/receipts.write.ts';

/** What is to be done to the message that the act names. */
export interface WantedAct extends Acted {
  tenant: TenantId;
  /** The provider's id of the item that does it. */
  wamid: string;
  /** Done by the business in another app, and not by the customer. */
  outbound: boolean;
}

/** How acts are told from receipts among what is parked. */
const PARKED = 'act ';

/** Whether something parked is an act. */
export function isParkedAct({ status }: Pick<ParkedReceipt, 'status'>): boolean {
  return status.startsWith(PARKED);
}

/** Does what was parked until its message was known, and forgets it. */
export async function applyParkedActs(db: Db, signals: Signals, parked: readonly ParkedReceipt[]): Promise<void> {
  // Written by `parkedOf`.
  const acts = parked.map((one) => one.receipt as WantedAct);
  await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      // Before, for what is unknown again after all is parked again.
      await deleteParkedReceipts(tx, parked);
      await actMessages(tx, acts);
    }),
  );
  for (const tenant of new Set(acts.map((act) => act.tenant))) signals.notify(`events:${tenant}`);
}

/**
 * Does to messages what was done to them, with their events. What names a message that is not known (yet) is parked like a receipt:
 * webhooks come in any order. Only who wrote a message can change or delete it.
 */
export async function actMessages(tx: Queryable, acts: readonly WantedAct[]): Promise<void> {
  const asked = acts.map(({ tenant, act }) => ({ tenant, wamid: act.target }));
  const targets = new Map((await findActTargets(tx, asked)).map((one) => [`${one.tenant_id} ${one.wamid}`, one]));
  const byTarget = new Map<ActTarget, WantedAct[]>();
  const parked: WantedAct[] = [];
  for (const one of acts) {
    const target = targets.get(`${one.tenant} ${one.act.target}`);
    if (!target) parked.push(one);
    else if (one.act.kind === 'reaction' || isWriter(one, target)) {
      byTarget.set(target, [...(byTarget.get(target) ?? []), one]);
    }
  }
  const writes = [...byTarget].flatMap(([target, wanted]) => writeOf(target, wanted) ?? []);
  if (writes.length > 0) await applyActs(tx, writes);
  if (parked.length > 0) await parkReceipts(tx, parked.map(parkedOf));
}

/** Whether it is done by who wrote the message: by the name it was written under, too, for a name may be another contact's since. */
function isWriter({ by, from, outbound }: WantedAct, target: ActTarget): boolean {
  const isSameTalk = target.contact_id === by || target.address === from;
  return isSameTalk && (target.direction === 'outbound') === outbound;
}

function writeOf(target: ActTarget, wanted: readonly WantedAct[]): ActWrite | null {
  const change = changeByActs(target, wanted);
  const events = {
    reaction: change.reactions ? newId<EventId>() : null,
    edit: change.edited_at === null ? null : newId<EventId>(),
    delete: change.deleted_at === null ? null : newId<EventId>(),
  };
  const isChanged = events.reaction ?? events.edit ?? events.delete;
  return isChanged && { tenant: target.tenant_id, message: target.id, change, events };
}

function parkedOf(act: WantedAct): ParkedReceipt {
  return { tenant_id: act.tenant, wamid: act.act.target, status: `${PARKED}${act.wamid}`, receipt: act };
}

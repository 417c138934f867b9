import { bigints, integers } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DeferralCause } from '../domain/causes.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { OWNED, ownedEpoch } from './sending.write.ts';

/** @param some which of them, by $7: how many at most. */
const releasing = (name: string, some: string) => ({
  name,
  text: `
with ${OWNED}, d as (
  select d.tenant_id, d.message_id from owned l
  join due d on d.lane_id = l.id and d.cause is not null and d.state = 'queued' and d.held is null
  where l.id = any($4::int[]) and d.cause = $5 and ($6::uuid is null or d.tenant_id = $6) and d.due_at > now() ${some}
)
update due u set due_at = clock_timestamp(), cause = null from d
where u.tenant_id = d.tenant_id and u.message_id = d.message_id and u.state = 'queued' and ${ownedEpoch('u.lane_id')} is not null
returning u.message_id`,
});
const release = releasing('put_off_release', 'limit $7');
const releaseNext = releasing(
  'put_off_release_next',
  'and ($8::uuid is null or d.message_id > $8) order by d.message_id limit $7',
);

/** What was put off for a cause that may be over. */
export interface PutOffFor {
  lanes: readonly number[];
  cause: DeferralCause;
  /** null: whoever's. */
  tenant: TenantId | null;
}

const valuesOf = (owner: LaneClaim, { lanes, cause, tenant }: PutOffFor, most: number) => [
  owner.instance,
  integers(owner.lanes, (lane) => lane),
  bigints(owner.epochs, (epoch) => epoch),
  integers(lanes, (lane) => lane),
  cause,
  tenant,
  most,
];

/** Makes messages due that an owner of lanes had put off, at most so many. @returns how many. */
export async function releasePutOff(tx: Queryable, owner: LaneClaim, what: PutOffFor, most: number): Promise<number> {
  return (await tx.query(release, valuesOf(owner, what, most))).length;
}

/**
 * Does the same in the order of messages, a step at a time: those that are put off anew are not released twice.
 * @param after the last message of the step before; null: from the first.
 * @returns the last message of this step; null: there are no more.
 */
export async function releaseNextPutOff(
  tx: Queryable,
  owner: LaneClaim,
  what: PutOffFor,
  after: MessageId | null,
  most: number,
): Promise<{ released: number; last: MessageId | null }> {
  const rows = await tx.query<{ message_id: MessageId }>(releaseNext, [...valuesOf(owner, what, most), after]);
  const ids = rows.map(({ message_id }) => message_id).sort();
  return { released: ids.length, last: ids.length < most ? null : (ids.at(-1) ?? null) };
}

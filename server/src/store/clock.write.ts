import type { Queryable } from '../db/pool.ts';

/**
 * What is written when the database's clock was set. Each statement leaves alone what is right already, so that several instances
 * may do it, and one may do it again.
 */

const graceOn = {
  name: 'clock_grace_on',
  text: `
update due set due_at = due_at + $2::float8 * interval '1 ms'
where lane_id = any($1::int[]) and state <> 'queued' and due_at <= now()`,
};

/** The clock was set on: the grace of attempts that are open in lanes goes on as if it had not been. */
export async function prolongGrace(tx: Queryable, lanes: readonly number[], step: number): Promise<void> {
  await tx.query(graceOn, [lanes, step]);
}

const graceBack = {
  name: 'clock_grace_back',
  text: `
update due set due_at = least(due_at, now() + $2::float8 * interval '1 ms'), started_at = least(started_at, now())
where lane_id = any($1::int[]) and state <> 'queued' and (due_at > now() + $2::float8 * interval '1 ms' or started_at > now())`,
};

/** The clock was set back: no attempt that is open in lanes began later than now, and no grace lasts longer than `grace` ms. */
export async function shortenGrace(tx: Queryable, lanes: readonly number[], grace: number): Promise<void> {
  await tx.query(graceBack, [lanes, grace]);
}

const evidenceBack = {
  name: 'clock_evidence_back',
  text: `
update sender_evidence e set attempt_started_at = now()
from senders s
where s.lane_id = any($1::int[]) and e.tenant_id = s.tenant_id and e.sender_id = s.id and e.attempt_started_at > now()`,
};

/** The clock was set back: a receipt is no evidence for what will begin later. */
export async function shortenEvidence(tx: Queryable, lanes: readonly number[]): Promise<void> {
  await tx.query(evidenceBack, [lanes]);
}

const dueBack = {
  name: 'clock_due_back',
  text: `
with late as materialized (
  select d.tenant_id, d.message_id, m.scheduled_at
  from senders s
  join due d on d.lane_id = s.lane_id and d.sender_id = s.id and d.state = 'queued' and d.held is null
    and d.priority = any('{0,1,2}'::smallint[]) and d.due_at > now()
  join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id
  where s.lane_id = any($1::int[]) and d.cause is null and d.due_at > greatest(now(), m.scheduled_at)
  limit $2 for update of d skip locked
)
update due d set due_at = greatest(now(), late.scheduled_at)
from late where d.tenant_id = late.tenant_id and d.message_id = late.message_id and d.state = 'queued'
returning d.message_id`,
};

/**
 * The clock was set back: what was accepted "in the future" may leave now, or at the time it is scheduled for. At most `limit`
 * messages. @returns how many.
 */
export async function pullDueBack(tx: Queryable, lanes: readonly number[], limit: number): Promise<number> {
  return (await tx.query(dueBack, [lanes, limit])).length;
}

const heldBack = {
  name: 'clock_held_back',
  text: `
update due d set due_at = greatest(now(), m.scheduled_at)
from (select distinct tenant_id from senders where lane_id = any($1::int[])) t, messages m
where d.tenant_id = t.tenant_id and d.held is not null and d.lane_id = any($1::int[]) and d.state = 'queued'
  and m.tenant_id = d.tenant_id and m.id = d.message_id and d.due_at > greatest(now(), m.scheduled_at)`,
};

/** The same for what is held. */
export async function pullHeldBack(tx: Queryable, lanes: readonly number[]): Promise<void> {
  await tx.query(heldBack, [lanes]);
}

const putOffBack = {
  name: 'clock_put_off_back',
  text: `
update due set due_at = greatest(now(), due_at - $2::float8 * interval '1 ms')
where lane_id = any($1::int[]) and cause is not null and state = 'queued' and held is null
  and due_at > now() + $2::float8 / 2 * interval '1 ms'`,
};

/** The clock was set back by `step` ms: what was put off waits as long as it would have. */
export async function pullPutOffBack(tx: Queryable, lanes: readonly number[], step: number): Promise<void> {
  await tx.query(putOffBack, [lanes, step]);
}

/** When recurring work is due, or who does it lets go of it: all of it may be done early, and none of it should sleep for days. */
const DUE: readonly (readonly [table: string, column: string])[] = [
  ['accounts', 'sync_due_at'],
  ['accounts', 'templates_due_at'],
  ['blocked_users', 'due_at'],
  ['event_consumers', 'held_until'],
  ['exports', 'held_until'],
  ['media_fetches', 'due_at'],
  ['media_removals', 'due_at'],
  ['pauses', 'probe_at'],
  ['read_marks', 'due_at'],
  ['redrives', 'due_at'],
  ['senders', 'tend_until'],
  ['templates', 'intent_due_at'],
];

/** Since when something is so: what else is counted from there would not come before the clock gets there again. */
const SINCE: typeof DUE = [
  ['accounts', 'checked_at'],
  ['accounts', 'templates_synced_at'],
  ['doubts', 'evident_at'],
  ['doubts', 'waiting_since'],
  ['inbound_work', 'created_at'],
  ['pauses', 'opened_at'],
  ['reached_users', 'reached_at'],
  ['senders', 'connection_checked_at'],
];

const jobs = DUE.map(([table, column]) => ({
  name: `clock_${table}_${column}`,
  text: `
update ${table} set ${column} = greatest(clock_timestamp(), ${column} - $1::float8 * interval '1 ms')
where ${column} > now() + $1::float8 / 2 * interval '1 ms'`,
}));

const since = SINCE.map(([table, column]) => ({
  name: `clock_${table}_${column}`,
  text: `update ${table} set ${column} = now() where ${column} > now()`,
}));

/** The clock was set back by `step` ms: recurring work comes when it would have. One transaction a table. */
export async function pullJobsBack(
  each: (write: () => Promise<unknown>) => Promise<unknown>,
  db: Queryable,
  step: number,
): Promise<void> {
  for (const job of jobs) await each(() => db.query(job, [step]));
  for (const one of since) await each(() => db.query(one));
}

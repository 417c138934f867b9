import type { Queryable } from '../db/pool.ts';
import type { DeadLetterFilter } from '../domain/dead-letters.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import { ofKey } from './one-key.ts';

/** Failed messages of one reason. */
export interface DeadLetterGroup {
  /** The word in the messages' `error`. */
  error: string;
  /** The provider's code; 0: none of the provider's. */
  code: number;
  /** As it was told of the newest of them. */
  title: string;
  count: number;
  /** How many of them may have arrived. */
  uncertain: number;
  /** When the first and the last of them failed. */
  oldest: Date;
  newest: Date;
  /** There are more than were counted, and they were accepted earlier. */
  capped: boolean;
}

/** Most messages of a reason that are counted, the newest ones. */
const COUNTED = 1_000_000;
/** Most reasons that are told: the provider has some eighty codes. */
const MOST_GROUPS = 500;

const NARROWED = `
  ($4::uuid is null or sender_id = $4) and ($5::uuid is null or batch_id is not distinct from $5)
  and ($6::timestamptz is null or failed_at >= $6) and ($7::timestamptz is null or failed_at <= $7)`;

const ofReason = ofKey({ word: 'r.word', code: 'r.code' }, 'message_id');

// The reasons are found by leaping from one to the next in the index, and counted in it.
const groups = {
  name: 'dead_letters_groups',
  text: `
with recursive reasons as (
  (select word, code from dead_letters where tenant_id = $1 order by word, code limit 1)
  union all
  select n.word, n.code from reasons r cross join lateral (
    select word, code from dead_letters where tenant_id = $1 and (word, code) > (r.word, r.code) order by word, code limit 1
  ) n
)
select r.word as error, r.code, coalesce(m.error ->> 'title', '') as title, c.count, c.uncertain, c.oldest, c.newest, c.capped
from (select * from reasons where ($2::text is null or word = $2) and ($3::int is null or code = $3) limit $9) r
cross join lateral (
  select count(*) filter (where matches)::int as count, count(*) filter (where matches and uncertain)::int as uncertain,
    min(failed_at) filter (where matches) as oldest, max(failed_at) filter (where matches) as newest, count(*) = $8 as capped
  from (
    select uncertain, failed_at, ${NARROWED} as matches from dead_letters
    where tenant_id = $1 and ${ofReason.all} order by ${ofReason.newestFirst} limit $8
  ) walked
) c
cross join lateral (
  select message_id from dead_letters where tenant_id = $1 and ${ofReason.all} and ${NARROWED}
  order by ${ofReason.newestFirst} limit 1
) l
join messages m on m.tenant_id = $1 and m.id = l.message_id
where c.count > 0
order by c.count desc, r.word, r.code`,
};

/** The failed messages that match, by reason, the most frequent first. */
export function findDeadLetterGroups(
  tx: Queryable,
  tenant: TenantId,
  filter: DeadLetterFilter,
): Promise<DeadLetterGroup[]> {
  return tx.query<DeadLetterGroup>(groups, [...valuesOf(tenant, filter), COUNTED, MOST_GROUPS]);
}

/** A failed message that was walked over. */
export interface DeadLetter {
  message_id: MessageId;
  /** Whether the filter is for it. */
  matches: boolean;
  /** Whether an attempt of it may have arrived. */
  uncertain: boolean;
}

const MATCHES = `($2::text is null or word = $2) and ($3::int is null or code = $3) and ${NARROWED} and failed_at <= $9`;

const walk = (by: 'all' | 'reason', where: string, order: string) => ({
  name: `dead_letters_walk_${by}`,
  text: `
select message_id, uncertain, ${MATCHES} as matches from dead_letters
where tenant_id = $1 and ${where} order by ${order} limit $10`,
});
const ofOne = ofKey({ word: '$2::text', code: '$3::int' }, 'message_id');
const walks = {
  all: walk('all', 'message_id > $8', 'message_id'),
  reason: walk('reason', ofOne.above('$8'), ofOne.oldestFirst),
};

/** Below every id there is. */
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Failed messages in the order in which they were accepted.
 * @param after the last one that was looked at; null: from the first.
 * @param before what failed later does not match.
 * @param limit how many are looked at.
 */
export function walkDeadLetters(
  tx: Queryable,
  tenant: TenantId,
  filter: DeadLetterFilter,
  after: MessageId | null,
  before: Date,
  limit: number,
): Promise<DeadLetter[]> {
  const by = filter.error !== undefined && filter.error_code !== undefined ? 'reason' : 'all';
  return tx.query<DeadLetter>(walks[by], [...valuesOf(tenant, filter), after ?? FIRST, before, limit]);
}

/** $1 to $7. */
function valuesOf(tenant: TenantId, { error, error_code, sender_id, batch_id, since, until }: DeadLetterFilter) {
  return [tenant, error ?? null, error_code ?? null, sender_id ?? null, batch_id ?? null, since ?? null, until ?? null];
}

import type { Queryable } from '../db/pool.ts';
import type { InstanceId } from '../domain/ids.ts';

const insert = {
  name: 'notices_insert',
  text: 'insert into notices (id, instance_id, topics, words) values ($1, $2, $3::text[], $4::jsonb)',
};

/** Writes what an instance tells the others. */
export async function insertNotice(
  tx: Queryable,
  notice: { id: string; from: InstanceId; topics: readonly string[]; words: readonly object[] },
): Promise<void> {
  await tx.query(insert, [notice.id, notice.from, notice.topics, JSON.stringify(notice.words)]);
}

const prune = {
  name: 'notices_prune',
  text: `
delete from notices where id in (select id from notices where id < $1 order by id limit $2 for update skip locked)
returning 1 as yes`,
};

/** Forgets notices with an id below `before`, at most `limit`; others do it too. @returns how many. */
export async function pruneNotices(tx: Queryable, before: string, limit: number): Promise<number> {
  return (await tx.query(prune, [before, limit])).length;
}

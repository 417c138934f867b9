import assert from 'node:assert/strict';
import type { Db } from '../../src/db/pool.ts';

/** What always holds of conversations, whatever was done and however often it had to begin anew. Each gives rows that break it. */
const INVARIANTS: Record<string, string> = {
  'numbers have no gaps, but for what is kept no longer': `
    select v.id, v.last_seq, v.pruned_seq, count(c.id), max(c.seq) from conversations v
    left join chat_messages c on c.tenant_id = v.tenant_id and c.conversation_id = v.id
    group by v.tenant_id, v.id
    having coalesce(max(c.seq), v.pruned_seq) <> v.last_seq or count(c.id) < v.last_seq - v.pruned_seq`,
  'each message was told of once, under its number': `
    select c.id, e.n, e.seq from chat_messages c
    full join (
      select (data -> 'message' ->> 'id')::uuid as id, count(*) as n, min((data -> 'message' -> 'seq')::bigint) as seq
      from events where type = 'chat.created' group by 1
    ) e on e.id = c.id
    where c.id is not null and (e.n is distinct from 1 or e.seq <> c.seq)`,
  'numbers and transactions rise together': `
    select * from (
      select id, (data -> 'message' -> 'seq')::bigint as seq,
        lag((data -> 'message' -> 'seq')::bigint, 1, 0::bigint) over (partition by tenant_id, conversation_id order by xid, id) as before
      from events where type = 'chat.created') e
    where seq <> before + 1`,
  'marks stand at messages that there were': `
    select p.* from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
    where p.delivered_seq > v.last_seq`,
  'own messages behind what was read are counted': `
    select p.* from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
    where p.left_at is null and p.own_ahead <> (
      select count(*) from chat_messages c where c.tenant_id = p.tenant_id and c.conversation_id = p.conversation_id
        and c.user_id = p.user_id and c.seq > p.read_seq)`,
  'answers are counted': `
    select c.id, c.replies from chat_messages c join conversations v on v.tenant_id = c.tenant_id and v.id = c.conversation_id
    where v.pruned_seq = 0 and c.replies <> (
      select count(*) from chat_messages r where r.tenant_id = c.tenant_id and r.parent_id = c.id)`,
  'edits are kept as long as what they were of': `
    select e.message_id from chat_edits e where not exists (
      select from chat_messages c where c.tenant_id = e.tenant_id and c.id = e.message_id and c.deleted_at is null and c.edits >= e.edit)`,
  'who is in a conversation is counted': `
    select v.id, v.participant_count from conversations v where v.participant_count <> (
      select count(*) from participants p where p.tenant_id = v.tenant_id and p.conversation_id = v.id and p.left_at is null)`,
  'conversations are on the lists they belong on': `
    select p.* from participants p join conversations v on v.tenant_id = p.tenant_id and v.id = p.conversation_id
    where p.left_at is null and (p.list, p.slot) is distinct from (
      conversation_list(v.type, v.closed_at, v.last_message_at), conversation_slot(v.last_message_at, v.created_at))`,
  'what was deleted is empty': `
    select id from chat_messages where deleted_at is not null
      and (content is not null or metadata is not null or mentions <> '[]' or reactions <> '[]')`,
};

/** Holds all of them. Statements walk whole tables: the planner may. */
export async function assertChatSound(db: Db): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.script('set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on');
    for (const [what, text] of Object.entries(INVARIANTS)) {
      const broken = await tx.query<object>({ name: `chat_sound ${what}`, text });
      assert.deepEqual(broken, [], what);
    }
  });
}

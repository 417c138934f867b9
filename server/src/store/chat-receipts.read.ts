import { smallints, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { UserId } from '../domain/chat.ts';
import type { ChatMessageId, ConversationId, TenantId } from '../domain/ids.ts';

/** Messages passed over by one mark whose authors are told at most: the latest so many. */
const MOST_PASSED = 1000;
/** Authors told of one mark at most. */
const MOST_AUTHORS = 100;

/** A mark that is asked for. */
export interface AskedMark {
  tenant: TenantId;
  user: UserId;
  message: string;
  read: boolean;
}

/** Where a mark stands, and where it is asked to go. */
export interface FoundMark {
  /** null: there is no such message. */
  conversation_id: ConversationId | null;
  seq: number;
  /** null: the user is not in the conversation. */
  delivered_seq: number | null;
  read_seq: number;
  /** How many messages of the user's own come after what he has read, and after the message of a mark that he reads. */
  own_ahead: number;
  own_behind: number;
  /** The latest message of each author that this mark passes over, but for the user himself and notes. */
  passed: { user_id: UserId; id: ChatMessageId; seq: number }[] | null;
}

const find = {
  name: 'chat_receipts_find',
  text: `
select c.conversation_id, c.seq, p.delivered_seq, p.read_seq, p.own_ahead, a.passed, case when p.own_ahead > 0 and i.read = 1 then (
  select count(*)::int from chat_messages o
  where o.tenant_id = c.tenant_id and o.conversation_id = c.conversation_id and o.seq > c.seq and o.user_id = i.user_id
) else 0 end as own_behind
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::smallint[]) with ordinality as i(tenant_id, user_id, message_id, read, place)
left join chat_messages c on c.tenant_id = i.tenant_id and c.id = i.message_id
left join participants p on p.tenant_id = c.tenant_id and p.conversation_id = c.conversation_id and p.user_id = i.user_id
  and p.left_at is null
left join lateral (
  select jsonb_agg(jsonb_build_object('user_id', l.user_id, 'id', l.id, 'seq', l.seq)) as passed
  from (
    select distinct on (b.user_id) b.user_id, b.id, b.seq
    from (
      select m.user_id, m.id, m.seq, m.note from chat_messages m
      where m.tenant_id = c.tenant_id and m.conversation_id = c.conversation_id
        and m.seq > case when i.read = 1 then p.read_seq else p.delivered_seq end and m.seq <= c.seq
      order by m.seq desc limit ${MOST_PASSED}
    ) b
    where b.user_id <> i.user_id and not b.note
    order by b.user_id, b.seq desc limit ${MOST_AUTHORS}
  ) l
) a on true
order by i.place`,
};

/** Looks up marks, in the order asked. */
export function findMarks(tx: Queryable, asked: readonly AskedMark[]): Promise<FoundMark[]> {
  return tx.query<FoundMark>(find, [
    uuids(asked, (a) => a.tenant),
    texts(asked, (a) => a.user),
    uuids(asked, (a) => a.message),
    smallints(asked, (a) => (a.read ? 1 : 0)),
  ]);
}

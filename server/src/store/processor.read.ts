import type { Queryable } from '../db/pool.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';

/** A message that has left, in few words. */
export interface SentMessage {
  id: MessageId;
  /** The id that the other side gave; null: only a receipt told that it left. */
  provider_id: string | null;
  address: string;
  /** What was said: the text, else the media, else the template's name. */
  content: string;
  sent_at: Date;
}

/** Most rows that are looked at, so that a long queue before the first one that has left costs no more than that. */
const WALKED = 10_000;

const find = {
  name: 'processor_sent',
  text: `
select m.id, m.wamid as provider_id, m.address,
  coalesce(m.content ->> 'text', m.content ->> 'media_url', m.template ->> 'name', '') as content, m.sent_at
from (select * from messages where tenant_id = $1 order by id desc limit ${WALKED}) m
where m.direction = 'outbound' and m.state between 'sent' and 'played' order by m.id desc limit $2`,
};

/** What has left last, by any channel: the newest messages first, at most `limit` of the tenant's 10,000 newest. */
export function listSentMessages(tx: Queryable, tenant: TenantId, limit: number): Promise<SentMessage[]> {
  return tx.query<SentMessage>(find, [tenant, limit]);
}

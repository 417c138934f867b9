import type { Queryable } from '../../db/pool.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

interface Row {
  id: string;
  add_numbers: boolean;
  name: string | null;
  token_valid: boolean | null;
  token_detail: string | null;
  sync_detail: string | null;
  days: number | null;
  subscribed: boolean | null;
  subscribe_wanted: boolean;
}

/** Accounts that are told of, those in need first, and days before its end from which a token is told of. */
const MOST = 200;
const SOON = 14;

const findAccounts = {
  name: 'doctor_accounts',
  text: `
select id, add_numbers, name, token_valid, token_detail, sync_detail, subscribed, subscribe_wanted,
  floor(extract(epoch from token_expires_at - now()) / 86400)::int as days
from accounts order by token_valid is distinct from false, token_expires_at nulls last, id limit $1`,
};

/** What the server learned of each account's token when it last asked: a token that has ended, or ends soon. */
export async function checkAccounts(db: Queryable): Promise<Finding[]> {
  return (await db.query<Row>(findAccounts, [MOST])).map(findingOf);
}

function findingOf({
  id,
  add_numbers,
  name,
  token_valid,
  token_detail,
  sync_detail,
  days,
  subscribed,
  subscribe_wanted,
}: Row): Finding {
  const what = `account ${name ?? id}`;
  const renew = `aldis account change ${id} --access-token-file FILE`;
  if (token_valid === false) {
    // Of an account that is there for its numbers only, they themselves are asked: they may send all the same.
    return (add_numbers ? fail : warn)(what, token_detail ?? 'its token is no good', renew);
  }
  if (days !== null && days < SOON) {
    return warn(what, days < 0 ? 'its token has expired' : `its token expires in ${days} days`, renew);
  }
  if (subscribe_wanted && subscribed === false) {
    return warn(what, 'its webhooks do not come', `aldis account subscribe ${id}`);
  }
  if (sync_detail !== null) return warn(what, sync_detail, `aldis account sync ${id}`);
  return ok(what, token_valid === null ? 'not asked about yet' : `its token is good (${id})`);
}

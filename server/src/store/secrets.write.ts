import type { Queryable, Statement } from '../db/pool.ts';

/** What a sealed value is of. */
export type SecretKind =
  | 'account_token'
  | 'app_previous'
  | 'app_secret'
  | 'app_verify_token'
  | 'endpoint_previous'
  | 'endpoint_secret'
  | 'fact'
  | 'sender_token'
  | 'webhook_key';

/** A sealed value and where it stands: the keys of its row, `second` being '' in tables that have one. */
export interface StoredSecret {
  kind: SecretKind;
  first: string;
  second: string;
  sealed: Buffer;
}

/** The first byte of a sealed value is the version of its key. */
const ALL = `
  select 'account_token' as kind, tenant_id::text as first, id as second, access_token_sealed as sealed from accounts
  union all select 'app_previous', id, '', previous_secret_sealed from apps where previous_secret_sealed is not null
  union all select 'app_secret', id, '', app_secret_sealed from apps
  union all select 'app_verify_token', id, '', verify_token_sealed from apps
  union all select 'endpoint_previous', tenant_id::text, id::text, previous_secret_sealed from webhook_endpoints
    where previous_secret_sealed is not null
  union all select 'endpoint_secret', tenant_id::text, id::text, secret_sealed from webhook_endpoints
  union all select 'fact', key, '', decode(value #>> '{}', 'base64') from settings where key = any($1::text[])
  union all select 'sender_token', tenant_id::text, id::text, access_token_sealed from senders
    where access_token_sealed is not null
  union all select 'webhook_key', tenant_id::text, id::text, webhook_key_sealed from senders
    where webhook_key_sealed is not null`;

const countAll = {
  name: 'secrets_count',
  text: `select count(*) filter (where get_byte(sealed, 0) = $2)::int as count from (${ALL}) a`,
};

/** How many secrets are sealed by the key of this version. @param facts the installation's facts that are sealed. */
export async function countSecrets(tx: Queryable, facts: readonly string[], version: number): Promise<number> {
  return (await tx.query<{ count: number }>(countAll, [facts, version]))[0]?.count ?? 0;
}

const listOthers = {
  name: 'secrets_list_others',
  text: `
select kind, first, second, sealed from (${ALL}) a
where get_byte(sealed, 0) <> $2 and (kind, first, second) > ($3, $4, $5) order by kind, first, second limit $6`,
};

/** Secrets that the keys of other versions sealed, in a fixed order. @param after the last one of the page before; null: from the first. */
export function listOtherSecrets(
  tx: Queryable,
  facts: readonly string[],
  version: number,
  after: Pick<StoredSecret, 'kind' | 'first' | 'second'> | null,
  limit: number,
): Promise<StoredSecret[]> {
  const { kind, first, second } = after ?? { kind: '', first: '', second: '' };
  return tx.query<StoredSecret>(listOthers, [facts, version, kind, first, second, limit]);
}

const REPLACE: Readonly<Record<SecretKind, Statement>> = {
  account_token: {
    name: 'secrets_replace_account_token',
    text: `
update accounts set access_token_sealed = $4
where tenant_id = $1::uuid and id = $2 and access_token_sealed = $3 returning true as done`,
  },
  app_previous: {
    name: 'secrets_replace_app_previous',
    text: `
update apps set previous_secret_sealed = $4
where id = $1 and $2 = '' and previous_secret_sealed = $3 returning true as done`,
  },
  app_secret: {
    name: 'secrets_replace_app_secret',
    text: `
update apps set app_secret_sealed = $4 where id = $1 and $2 = '' and app_secret_sealed = $3 returning true as done`,
  },
  app_verify_token: {
    name: 'secrets_replace_app_verify_token',
    text: `
update apps set verify_token_sealed = $4
where id = $1 and $2 = '' and verify_token_sealed = $3 returning true as done`,
  },
  endpoint_previous: {
    name: 'secrets_replace_endpoint_previous',
    text: `
update webhook_endpoints set previous_secret_sealed = $4
where tenant_id = $1::uuid and id = $2::uuid and previous_secret_sealed = $3 returning true as done`,
  },
  endpoint_secret: {
    name: 'secrets_replace_endpoint_secret',
    text: `
update webhook_endpoints set secret_sealed = $4
where tenant_id = $1::uuid and id = $2::uuid and secret_sealed = $3 returning true as done`,
  },
  fact: {
    name: 'secrets_replace_fact',
    text: `
update settings set value = to_jsonb(translate(encode($4::bytea, 'base64'), e'\\n', ''))
where key = $1 and $2 = '' and decode(value #>> '{}', 'base64') = $3 returning true as done`,
  },
  sender_token: {
    name: 'secrets_replace_sender_token',
    text: `
update senders set access_token_sealed = $4
where tenant_id = $1::uuid and id = $2::uuid and access_token_sealed = $3 returning true as done`,
  },
  webhook_key: {
    name: 'secrets_replace_webhook_key',
    text: `
update senders set webhook_key_sealed = $4
where tenant_id = $1::uuid and id = $2::uuid and webhook_key_sealed = $3 returning true as done`,
  },
};

/** Puts a value sealed anew in the place of another. @returns false: it was replaced meanwhile by somebody else. */
export async function replaceSecret(
  tx: Queryable,
  { kind, first, second, sealed }: StoredSecret,
  anew: Buffer,
): Promise<boolean> {
  return (await tx.query(REPLACE[kind], [first, second, sealed, anew])).length === 1;
}

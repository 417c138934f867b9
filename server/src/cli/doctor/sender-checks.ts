import { place } from '../../actions/set-up.ts';
import { numberCheck } from '../../channels/whatsapp/number-check.ts';
import type { Queryable } from '../../db/pool.ts';
import type { SenderId, TenantId } from '../../domain/ids.ts';
import type { Config } from '../../runtime/settings.ts';
import { findSealer } from './canary.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

/** Numbers that are asked about, and how many at once. */
const MOST = 200;
const AT_ONCE = 8;
/** Milliseconds for one question. */
const TIMEOUT = 5_000;

interface Row {
  tenant_id: TenantId;
  id: SenderId;
  name: string;
  phone: string;
  phone_number_id: string;
  access_token_sealed: Buffer;
}

const findNumbers = {
  name: 'doctor_numbers',
  text: `
select tenant_id, id, name, phone, phone_number_id, access_token_sealed
from senders where channel = 'whatsapp' order by is_default desc, created_at, id limit $1`,
};

/**
 * Asks the provider about each number with its own token: whether it is known, valid and connected. A database of an
 * earlier schema is left alone.
 * @param apiUrl where the provider is; null: in development with no simulator running
 */
export async function checkSenders(db: Queryable, config: Config, apiUrl: string | null): Promise<Finding[]> {
  const rows = await db.query<Row>(findNumbers, [MOST + 1]);
  if (rows.length === 0)
    return [warn('senders', 'there is no WhatsApp number', 'make one: aldis sender create, or set whatsapp.number.*')];
  if (apiUrl === null) return [ok('senders', `${rows.length} simulated; asked when the server runs`)];
  const sealer = findSealer(config);
  if (!sealer) return [];
  const channel = numberCheck({ origin: apiUrl, version: config.whatsapp.api_version, timeout: TIMEOUT });
  const check = async (row: Row): Promise<Finding> => {
    const name = `sender ${row.phone}`;
    try {
      const token = sealer.open(row.access_token_sealed, place.accessToken(row.tenant_id, row.id));
      const found = await channel.check({ phone_number_id: row.phone_number_id, access_token: token });
      if (found.kind === 'connected') return ok(name, `connected (${row.phone_number_id})`);
      if (found.kind === 'not_connected') {
        return fail(
          name,
          found.detail,
          `a new token is given by: aldis sender change ${row.id} --access-token-file FILE`,
        );
      }
      return warn(name, `it cannot be told: ${found.detail}`, `see whether ${apiUrl} can be reached from here`);
    } catch (error) {
      return fail(
        name,
        `its access token cannot be opened: ${reasonOf(error)}`,
        'restore the encryption key, or give the sender a new access_token',
      );
    }
  };
  const findings: Finding[] = [];
  const asked = rows.slice(0, MOST);
  for (let at = 0; at < asked.length; at += AT_ONCE) {
    findings.push(...(await Promise.all(asked.slice(at, at + AT_ONCE).map(check))));
  }
  if (rows.length > MOST)
    findings.push(
      warn('senders', `only the first ${MOST} were asked about`, 'the server itself asks about all: aldis sender list'),
    );
  return findings;
}

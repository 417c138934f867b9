import { askJson, type JsonAnswer } from '../net/json-client.ts';

/**
 * The service that knows a tenant's quota and its outlets' credentials, as sender-service documents it. Tenants and outlets are
 * called there what they are called outside.
 */
export interface TenantService {
  /** Whether a tenant may send: GET /api/v1/tenants/ID/quota/check. */
  checkQuota(tenant: string): Promise<QuotaAnswer | NoAnswer>;
  /** An outlet's credentials: GET /api/v1/outlets/ID. */
  findOutlet(tenant: string, outlet: string): Promise<OutletAnswer | { kind: 'unknown' } | NoAnswer>;
}

export interface QuotaAnswer {
  kind: 'quota';
  allowed: boolean;
  /** What it says why not; empty when it says nothing. */
  reason: string;
}

export interface OutletAnswer {
  kind: 'outlet';
  phone_number_id: string;
  access_token: string;
}

/** It was not reached, took too long, or said what is no answer. `detail` is for the log. */
export interface NoAnswer {
  kind: 'none';
  detail: string;
}

/** What can stand in the path of a call to the provider, and in a header of one. */
const PHONE_NUMBER_ID = /^[A-Za-z0-9_-]{1,64}$/;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;
/** Names that a URL takes for steps in its path. */
const STEPS = /^(\.|%2e){1,2}$/i;

/** @param url where it is, without a slash at the end. @param timeout milliseconds for a whole question. */
export function tenantService(url: string, timeout: number): TenantService {
  async function ask(path: string, tenant: string): Promise<JsonAnswer | NoAnswer> {
    try {
      const header = /^[\x21-\x7e]+$/.test(tenant) ? tenant : encodeURIComponent(tenant);
      return await askJson(new URL(`${url}${path}`), timeout, undefined, { 'x-tenant-id': header });
    } catch (error) {
      return none(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    async checkQuota(tenant) {
      const answer = await ask(`/api/v1/tenants/${encodeURIComponent(tenant)}/quota/check`, tenant);
      if ('kind' in answer) return answer;
      const said = read(answer);
      if (typeof said?.['can_send_message'] !== 'boolean')
        return none(`status ${answer.status} without can_send_message`);
      const { reason } = said;
      return { kind: 'quota', allowed: said['can_send_message'], reason: typeof reason === 'string' ? reason : '' };
    },
    async findOutlet(tenant, outlet) {
      // Half a character cannot stand in a URL.
      if (STEPS.test(outlet) || !outlet.isWellFormed()) return { kind: 'unknown' };
      const answer = await ask(`/api/v1/outlets/${encodeURIComponent(outlet)}`, tenant);
      if ('kind' in answer) return answer;
      if (answer.status === 404) return { kind: 'unknown' };
      const said = read(answer);
      const { id = outlet, waba_phone_number_id: phone_number_id, waba_access_token: access_token } = said ?? {};
      if (typeof phone_number_id !== 'string' || !PHONE_NUMBER_ID.test(phone_number_id)) {
        return none(`status ${answer.status} without a usable waba_phone_number_id`);
      }
      if (typeof access_token !== 'string' || !TOKEN.test(access_token)) {
        return none(`status ${answer.status} without a usable waba_access_token`);
      }
      if (id !== outlet) return none('an answer about another outlet');
      return { kind: 'outlet', phone_number_id, access_token };
    },
  };
}

function none(detail: string): NoAnswer {
  return { kind: 'none', detail };
}

/** The object that was answered, or null for anything else. */
function read({ status, text }: JsonAnswer): Record<string, unknown> | null {
  if (status !== 200) return null;
  try {
    const said: unknown = JSON.parse(text);
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? { ...said } : null;
  } catch {
    return null;
  }
}

import type { JsonObject } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import { json, type Reply } from '../reply.ts';
import { graphError } from './errors.ts';

/** From this on Meta calls a number's throughput high (.../throughput). */
const HIGH_THROUGHPUT = 1000;
const NUMBER_DEFAULTS = [
  'verified_name',
  'code_verification_status',
  'display_phone_number',
  'quality_rating',
  'platform_type',
  'throughput',
];
const ACCOUNT_DEFAULTS = ['name', 'timezone_id', 'message_template_namespace'];

/** GET /{phone_number_id}. */
export function describeNumber(number: BusinessNumber, query: URLSearchParams): Reply {
  return pick(fieldsOfNumber(number), query, NUMBER_DEFAULTS, 'WhatsAppBusinessPhoneNumber');
}

/** GET /{waba_id}. */
export function describeAccount(numbers: readonly BusinessNumber[], query: URLSearchParams): Reply {
  return pick(fieldsOfAccount(numbers), query, ACCOUNT_DEFAULTS, 'WhatsAppBusinessAccount');
}

/** GET /{waba_id}/phone_numbers. */
export function describeNumbers(numbers: readonly BusinessNumber[], query: URLSearchParams): Reply {
  const data: JsonObject[] = [];
  for (const number of numbers) {
    const picked = pickFields(fieldsOfNumber(number), query, NUMBER_DEFAULTS, 'WhatsAppBusinessPhoneNumber');
    if ('problem' in picked) return picked.problem;
    data.push(picked.fields);
  }
  return json({ data, paging: { cursors: { before: 'MAZDZD', after: 'MAZDZD' } } });
}

function fieldsOfNumber(number: BusinessNumber): JsonObject {
  return {
    id: number.phone_number_id,
    verified_name: number.verified_name,
    display_phone_number: `+${number.display_phone_number}`,
    code_verification_status: 'VERIFIED',
    quality_rating: number.quality_rating,
    quality_score: { score: number.quality_rating },
    platform_type: 'CLOUD_API',
    throughput: { level: number.throughput >= HIGH_THROUGHPUT ? 'HIGH' : 'STANDARD' },
    whatsapp_business_manager_messaging_limit: number.messaging_limit,
    name_status: 'APPROVED',
    status: 'CONNECTED',
    account_mode: 'LIVE',
    is_official_business_account: false,
    is_on_biz_app: false,
    health_status: {
      can_send_message: 'AVAILABLE',
      entities: [{ entity_type: 'PHONE_NUMBER', id: number.phone_number_id, can_send_message: 'AVAILABLE' }],
    },
  };
}

function fieldsOfAccount(numbers: readonly BusinessNumber[]): JsonObject {
  const [first] = numbers;
  return {
    id: first?.waba_id,
    name: first?.verified_name,
    timezone_id: '1',
    currency: 'USD',
    message_template_namespace: `simulator_${first?.waba_id}`,
    owner_business_info: { id: first?.portfolio_id, name: first?.verified_name },
    account_review_status: 'APPROVED',
  };
}

function pick(all: JsonObject, query: URLSearchParams, defaults: readonly string[], type: string): Reply {
  const picked = pickFields(all, query, defaults, type);
  return 'problem' in picked ? picked.problem : json(picked.fields);
}

/** The fields asked for by `?fields=`, always with `id`. */
function pickFields(
  all: JsonObject,
  query: URLSearchParams,
  defaults: readonly string[],
  type: string,
): { fields: JsonObject } | { problem: Reply } {
  const asked =
    query
      .get('fields')
      ?.split(',')
      .map((name) => name.trim()) ?? defaults;
  const fields: JsonObject = {};
  for (const name of asked) {
    if (name === '' || name === 'id') continue;
    if (!Object.hasOwn(all, name)) {
      return { problem: graphError(`(#100) Tried accessing nonexisting field (${name}) on node type (${type})`) };
    }
    fields[name] = all[name];
  }
  return { fields: { ...fields, id: all.id } };
}

import type { JsonObject } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import type { Reply } from '../reply.ts';
import { HIGH } from '../webhooks/account-news.ts';
import { node, pickFields } from './fields.ts';
import { listPage } from './paging.ts';

const NUMBER_DEFAULTS = [
  'verified_name',
  'code_verification_status',
  'display_phone_number',
  'quality_rating',
  'platform_type',
  'throughput',
];
const NUMBER = 'WhatsAppBusinessPhoneNumber';
const ACCOUNT_DEFAULTS = ['name', 'timezone_id', 'message_template_namespace'];

/** GET /{phone_number_id}. */
export function describeNumber(number: BusinessNumber, query: URLSearchParams): Reply {
  return node(pickFields(fieldsOfNumber(number), query, NUMBER_DEFAULTS, NUMBER));
}

/** GET /{waba_id}. `reviewed` is what its review came to. */
export function describeAccount(numbers: readonly BusinessNumber[], reviewed: string, query: URLSearchParams): Reply {
  return node(pickFields(fieldsOfAccount(numbers, reviewed), query, ACCOUNT_DEFAULTS, 'WhatsAppBusinessAccount'));
}

/** GET /{waba_id}/phone_numbers, in pages. `url` is the address of the list. */
export function describeNumbers(numbers: readonly BusinessNumber[], query: URLSearchParams, url: string): Reply {
  return listPage(numbers, query, url, (number) => pickFields(fieldsOfNumber(number), query, NUMBER_DEFAULTS, NUMBER));
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
    throughput: { level: number.throughput >= HIGH ? 'HIGH' : 'STANDARD' },
    whatsapp_business_manager_messaging_limit: number.messaging_limit,
    name_status: number.name_status,
    new_name_status: 'NONE',
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

function fieldsOfAccount(numbers: readonly BusinessNumber[], reviewed: string): JsonObject {
  const [first] = numbers;
  return {
    id: first?.waba_id,
    name: first?.verified_name,
    timezone_id: '1',
    currency: 'USD',
    message_template_namespace: `simulator_${first?.waba_id}`,
    owner_business_info: { id: first?.portfolio_id, name: first?.verified_name },
    account_review_status: reviewed,
    business_verification_status: 'verified',
    country: 'US',
    ownership_type: 'CLIENT_OWNED',
    status: 'ACTIVE',
    whatsapp_business_manager_messaging_limit: first?.messaging_limit,
    health_status: {
      can_send_message: 'AVAILABLE',
      entities: [{ entity_type: 'WABA', id: first?.waba_id, can_send_message: 'AVAILABLE' }],
    },
  };
}

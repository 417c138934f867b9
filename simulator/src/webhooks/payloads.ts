import type { WebhookError } from '../graph/errors.ts';
import type { JsonObject } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';

/**
 * The bodies of webhooks, as .../webhooks/reference/messages (2026-06-17), .../messages/status (2025-11-20 and
 * 2026-05-21) and the page on business-scoped user ids (2026-02) have them. The files in fixtures/ are their examples,
 * and a test holds the builders to them.
 */
export interface Envelope {
  object: 'whatsapp_business_account';
  entry: { id: string; changes: { value: JsonObject; field: string }[] }[];
}

export type Category = 'service' | 'utility' | 'authentication' | 'marketing';

export interface Pricing {
  billable: boolean;
  pricing_model: 'PMP';
  type: 'regular' | 'free_customer_service';
  category: Category;
}

/** An item of `statuses[]`. `recipient_id` is absent when the message went to a business-scoped user id. */
export interface Status {
  id: string;
  status: 'sent' | 'delivered' | 'read' | 'failed';
  /** Seconds since 1970. */
  timestamp: string;
  recipient_id?: string;
  recipient_user_id?: string;
  biz_opaque_callback_data?: string;
  pricing?: Pricing;
  errors?: WebhookError[];
}

/** What a status is about. */
export interface Sent {
  wamid: string;
  /** Digits of the phone number, or undefined for a business-scoped user id. */
  wa_id?: string;
  user_id?: string;
  opaque?: string;
  category: Category;
}

/** Milliseconds since 1970 as webhooks tell the time. */
function seconds(milliseconds: number): string {
  return Math.floor(milliseconds / 1000).toString();
}

/**
 * A status. `pricing` comes with *sent* and with one of *delivered* and *read*, here always *delivered*; `conversation`
 * comes no more since v24.
 */
export function statusOf(sent: Sent, status: Status['status'], at: number, error?: WebhookError): Status {
  const built: Status = { id: sent.wamid, status, timestamp: seconds(at) };
  if (sent.wa_id !== undefined) built.recipient_id = sent.wa_id;
  if (sent.user_id !== undefined) built.recipient_user_id = sent.user_id;
  if (sent.opaque !== undefined) built.biz_opaque_callback_data = sent.opaque;
  if (status === 'sent' || status === 'delivered') built.pricing = PRICING[sent.category];
  if (error) built.errors = [error];
  return built;
}

const PRICING: Record<Category, Pricing> = {
  service: { billable: false, pricing_model: 'PMP', type: 'free_customer_service', category: 'service' },
  utility: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'utility' },
  authentication: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'authentication' },
  marketing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
};

/** A webhook with statuses of one number. */
export function statusesEnvelope(number: BusinessNumber, statuses: readonly Status[]): Envelope {
  return envelope(number, { statuses });
}

/** A message of a customer. */
export interface CustomerMessage {
  /** Digits of the phone number. Absent for a customer who is known by user id only. */
  from?: string;
  user_id?: string;
  name: string;
  id: string;
  type: string;
  /** Goes under the name of the type; for `unsupported` it is the list `errors`. */
  payload: unknown;
  context?: JsonObject;
  at: number;
}

/** A webhook with one message of a customer. A `system` message has no `contacts`. */
export function messageEnvelope(number: BusinessNumber, message: CustomerMessage): Envelope {
  const item: JsonObject = {
    ...(message.context === undefined ? {} : { context: message.context }),
    ...(message.from === undefined ? {} : { from: message.from }),
    ...(message.user_id === undefined ? {} : { from_user_id: message.user_id }),
    id: message.id,
    timestamp: seconds(message.at),
    type: message.type,
    [message.type === 'unsupported' ? 'errors' : message.type]: message.payload,
  };
  if (message.type === 'system') return envelope(number, { messages: [item] });
  const contact: JsonObject = {
    profile: { name: message.name },
    ...(message.from === undefined ? {} : { wa_id: message.from }),
    ...(message.user_id === undefined ? {} : { user_id: message.user_id }),
  };
  return envelope(number, { contacts: [contact], messages: [item] });
}

/** A webhook that says what became of a template (.../webhooks/reference/message_template_status_update). */
export function templateEnvelope(
  wabaId: string,
  template: { id: string; name: string; language: string; category: string },
  event: 'APPROVED',
): Envelope {
  const value = {
    event,
    message_template_id: Number(template.id),
    message_template_name: template.name,
    message_template_language: template.language,
    reason: 'NONE',
    message_template_category: template.category,
  };
  const changes = [{ value, field: 'message_template_status_update' }];
  return { object: 'whatsapp_business_account', entry: [{ id: wabaId, changes }] };
}

function envelope(number: BusinessNumber, content: JsonObject): Envelope {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: number.display_phone_number, phone_number_id: number.phone_number_id },
    ...content,
  };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: number.waba_id, changes: [{ value, field: 'messages' }] }],
  };
}

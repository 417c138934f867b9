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
  /** `time`, in seconds, is there when it is about the account and not about messages. */
  entry: { id: string; time?: number; changes: { value: JsonObject; field: string }[] }[];
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
  status: 'sent' | 'delivered' | 'read' | 'played' | 'failed';
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
  /** Whether it went to the phone number, and not to the user id. */
  by_phone?: boolean;
  /** What the customer calls himself, if that is known. */
  profile?: { name: string; username?: string };
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
  // A message that went to a phone number and failed is told without the user id.
  if (sent.user_id !== undefined && !(error && sent.by_phone)) built.recipient_user_id = sent.user_id;
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

/**
 * A webhook with statuses of one number. Customers with a business-scoped user id are in `contacts`, unless the message
 * failed (business-scoped user ids, 2026-03).
 */
export function statusesEnvelope(
  number: BusinessNumber,
  statuses: readonly Status[],
  sent: readonly Sent[] = [],
): Envelope {
  const contacts: JsonObject[] = [];
  for (const [index, { status }] of statuses.entries()) {
    const about = sent[index];
    if (about?.user_id === undefined || status === 'failed') continue;
    const username = status === 'sent' ? undefined : about.profile?.username;
    contacts.push({
      profile: { name: about.profile?.name ?? '', ...(username === undefined ? {} : { username }) },
      ...(about.wa_id === undefined ? {} : { wa_id: about.wa_id }),
      user_id: about.user_id,
    });
  }
  return envelope(number, contacts.length === 0 ? { statuses } : { contacts, statuses });
}

/** A message of a customer. */
export interface CustomerMessage {
  /** Digits of the phone number. Absent for a customer who is known by user id only. */
  from?: string;
  user_id?: string;
  /** The id that linked portfolios share. */
  parent_user_id?: string;
  name: string;
  username?: string;
  id: string;
  type: string;
  /** Goes under the name of the type; for `unsupported` it is the list `errors`. */
  payload: unknown;
  context?: JsonObject;
  /** The advertisement that led here. */
  referral?: JsonObject;
  at: number;
}

/** A webhook with messages of customers. A `system` message has no `contacts`. */
export function messagesEnvelope(number: BusinessNumber, messages: readonly CustomerMessage[]): Envelope {
  const items = messages.map((message) => ({
    ...(message.context === undefined ? {} : { context: message.context }),
    ...(message.from === undefined ? {} : { from: message.from }),
    ...(message.user_id === undefined ? {} : { from_user_id: message.user_id }),
    ...(message.parent_user_id === undefined ? {} : { from_parent_user_id: message.parent_user_id }),
    id: message.id,
    timestamp: seconds(message.at),
    type: message.type,
    [message.type === 'unsupported' ? 'errors' : message.type]: message.payload,
    ...(message.referral === undefined ? {} : { referral: message.referral }),
  }));
  const contacts: JsonObject[] = [];
  const told = new Set<string>();
  for (const message of messages) {
    const key = message.from ?? message.user_id ?? '';
    if (message.type === 'system' || told.has(key)) continue;
    told.add(key);
    contacts.push(contactOf(message));
  }
  return envelope(number, contacts.length === 0 ? { messages: items } : { contacts, messages: items });
}

/** How a webhook calls a customer. */
export type Named = Pick<CustomerMessage, 'name' | 'username' | 'from' | 'user_id' | 'parent_user_id'>;

function contactOf(message: Named): JsonObject {
  return {
    profile: { name: message.name, ...(message.username === undefined ? {} : { username: message.username }) },
    ...(message.from === undefined ? {} : { wa_id: message.from }),
    ...(message.user_id === undefined ? {} : { user_id: message.user_id }),
    ...(message.parent_user_id === undefined ? {} : { parent_user_id: message.parent_user_id }),
  };
}

/** A customer stops or resumes marketing messages (.../webhooks/reference/user_preferences). */
export function preferenceEnvelope(
  number: BusinessNumber,
  customer: Named,
  value: 'stop' | 'resume',
  at: number,
): Envelope {
  const preference = {
    ...(customer.from === undefined ? {} : { wa_id: customer.from }),
    ...(customer.user_id === undefined ? {} : { user_id: customer.user_id }),
    detail: `User requested to ${value} marketing messages`,
    category: 'marketing_messages',
    value,
    timestamp: Math.floor(at / 1000),
  };
  const content = { contacts: [contactOf(customer)], user_preferences: [preference] };
  return envelope(number, content, 'user_preferences');
}

/** A customer's business-scoped user id has changed (business-scoped user ids, 2026-06: user_id_update). */
export function userIdEnvelope(number: BusinessNumber, customer: Named, current: string, at: number): Envelope {
  const { user_id: previous, ...others } = customer;
  const update = {
    ...(customer.from === undefined ? {} : { wa_id: customer.from }),
    detail: `User id for ${customer.name} has been updated.`,
    user_id: { previous, current },
    timestamp: seconds(at),
  };
  return envelope(number, { contacts: [contactOf(others)], user_id_update: [update] }, 'user_id_update');
}

function envelope(number: BusinessNumber, content: JsonObject, field = 'messages'): Envelope {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: number.display_phone_number, phone_number_id: number.phone_number_id },
    ...content,
  };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: number.waba_id, changes: [{ value, field }] }],
  };
}

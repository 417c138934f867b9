import { createHmac } from 'node:crypto';
import type { Side } from './side.ts';

/** The requests both sides take. Each is another customer and another key: nothing repeats within a database. */

// Eleven digits after the country code: no two runs in the same minute use the same ones.
let customer = 62_000_000_000_000 + (Math.floor(Date.now() / 1000) % 1_000_000) * 1_000_000;

/** A phone number never used before. */
export function newCustomer(): string {
  return `+${customer++}`;
}

/** Far enough that it does not leave while we measure. */
const LATER = new Date(Date.now() + 7 * 24 * 3600_000).toISOString();

/** The body of a send. With `later`, it is stored but does not leave: accepting is then measured alone. */
export function messageBody(side: Side, index: number, { later = false } = {}): Record<string, unknown> {
  return {
    recipient_phone: newCustomer(),
    sender_id: side.senders[index % side.senders.length],
    content: { text: `Hello number ${index}, your order has been shipped and will be with you soon.` },
    ...(later ? { scheduled_at: LATER } : {}),
  };
}

let key = 0;

/** A header with a key never used before. */
export function newKey(): { 'idempotency-key': string } {
  return { 'idempotency-key': `bench-${process.pid}-${Date.now().toString(36)}-${key++}` };
}

/** Posts one message. @throws {Error} unless it was accepted */
export async function sendOne(side: Side, index: number, options?: { later?: boolean }): Promise<void> {
  const status = await side.load.post('/api/v1/messages', JSON.stringify(messageBody(side, index, options)), newKey());
  if (status !== 202) throw new Error(`${side.name} answered ${status} to a message`);
}

/** A message as the provider knows it. */
export interface Sent {
  wamid: string;
  opaque: string;
  to: string;
  number: string;
}

/** What the provider says of a message; `at` in seconds since 1970, `error` a code of its table. */
export interface Status {
  sent: Sent;
  status: string;
  at: number;
  error?: number;
}

/** A webhook as Meta posts one, with some statuses of one number (documentation page webhooks/reference/messages/status). */
export function statusWebhook(number: string, statuses: readonly Status[]): string {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: number },
    statuses: statuses.map(({ sent, status, at, error }) => ({
      id: sent.wamid,
      status,
      timestamp: String(at),
      recipient_id: sent.to.replace('+', ''),
      biz_opaque_callback_data: sent.opaque,
      ...(error === undefined
        ? { pricing: { billable: true, pricing_model: 'PMP', category: 'service', type: 'regular' } }
        : {
            errors: [
              { code: error, title: 'Message undeliverable', error_data: { details: 'Message undeliverable.' } },
            ],
          }),
    })),
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', changes: [{ field: 'messages', value }] }],
  });
}

/** A webhook as Meta posts one, with one text of a customer (documentation page webhooks/reference/messages/text). */
export function messageWebhook(number: string, said: { wamid: string; from: string; text: string }): string {
  const from = said.from.replace('+', '');
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '15550783881', phone_number_id: number },
    contacts: [{ profile: { name: 'Ana' }, wa_id: from }],
    messages: [
      {
        from,
        id: said.wamid,
        timestamp: String(Math.floor(Date.now() / 1000)),
        type: 'text',
        text: { body: said.text },
      },
    ],
  };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', changes: [{ field: 'messages', value }] }],
  });
}

/** The header that proves a webhook. */
export function signature(secret: string, body: string | Buffer): { 'x-hub-signature-256': string } {
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

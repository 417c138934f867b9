import { readInbound } from '../inbound.ts';
import { BadInput, fieldsOf, optionalBoolean, optionalList, optionalNumber, optionalText } from '../input.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type BusinessNumber, DEFAULT_NUMBER } from '../numbers.ts';
import type { Simulation } from '../simulation.ts';
import { type CustomerMessage, type Envelope, messagesEnvelope } from './payloads.ts';
import { escapedJson } from './signature.ts';

const MAX_ITEMS = 100_000;
/** Meta's webhooks are at most 3 MB (.../webhooks/overview). Odd ones may be larger. */
const MAX_TEXT = 50_000_000;

/**
 * POST /_simulator/raw_webhook: sends what is given, signed: `body` (JSON, escaped as Meta does), `text` (bytes as they are), or
 * `value` with its `field` (a change of `waba_id`). `times` sends it that often at once; `forged` signs it with another secret.
 * Throws BadInput.
 */
export function sendRaw(simulation: Simulation, request: unknown): { sent: number } {
  const names = ['body', 'text', 'value', 'field', 'waba_id', 'phone_number_id', 'times', 'forged', 'retried'];
  const fields = fieldsOf(request, names);
  const { body, value } = fields;
  const number = simulation.numbers.get(optionalText(fields, 'phone_number_id') ?? DEFAULT_NUMBER.phone_number_id);
  const wabaId = optionalText(fields, 'waba_id') ?? number?.waba_id ?? DEFAULT_NUMBER.waba_id;
  const text = optionalText(fields, 'text', { max: MAX_TEXT });
  if ([body, value, text].filter((one) => one !== undefined).length !== 1) {
    throw new BadInput('body', 'one of body, text and value must be given, and no other');
  }
  const field = optionalText(fields, 'field') ?? 'messages';
  const changes = [{ value, field }];
  const envelope = body ?? { object: 'whatsapp_business_account', entry: [{ id: wabaId, changes }] };
  const origin = {
    waba_id: wabaId,
    phone_number_id:
      optionalText(fields, 'phone_number_id') ?? simulation.numbers.firstOf(wabaId)?.phone_number_id ?? '',
  };
  const times = optionalNumber(fields, 'times', { min: 1, max: 100 }) ?? 1;
  const forged = optionalBoolean(fields, 'forged') ?? false;
  const retried = optionalBoolean(fields, 'retried') ?? !forged;
  const bytes = text ?? escapedJson(envelope);
  for (let sent = 0; sent < times; sent++) simulation.queue.add(origin, bytes, ['account'], retried, forged);
  return { sent: times };
}

/**
 * POST /_simulator/webhook_batch: one webhook that carries much: `messages` (each as for /_simulator/inbound) and `changes`
 * (`{"waba_id"?, "field", "value"}`), one entry an account, one change a number. Throws BadInput.
 */
export function sendBatch(simulation: Simulation, request: unknown, base: string): { wamids: string[] } {
  const fields = fieldsOf(request, ['messages', 'changes']);
  const messages = optionalList(fields, 'messages', MAX_ITEMS) ?? [];
  const changes = optionalList(fields, 'changes', MAX_ITEMS) ?? [];
  if (messages.length + changes.length === 0) throw new BadInput('messages', 'is missing, and changes too');
  const entries = new Map<string, Envelope['entry'][number]>();
  const entryOf = (wabaId: string): Envelope['entry'][number] => {
    const entry = entries.get(wabaId) ?? { id: wabaId, changes: [] };
    entries.set(wabaId, entry);
    return entry;
  };
  const byNumber = new Map<BusinessNumber, CustomerMessage[]>();
  const wamids: string[] = [];
  for (const [index, item] of messages.entries()) {
    const { number, message } = readInbound(simulation, item, base, `messages.${index}.`);
    byNumber.set(number, [...(byNumber.get(number) ?? []), message]);
    wamids.push(message.id);
  }
  for (const [number, group] of byNumber) {
    for (const { changes: built } of messagesEnvelope(number, group).entry) {
      entryOf(number.waba_id).changes.push(...built);
    }
  }
  for (const [index, item] of changes.entries()) {
    const change = readChange(item, `changes.${index}.`);
    entryOf(change.wabaId).changes.push({ value: change.value, field: change.field });
  }
  const [wabaId = ''] = entries.keys();
  const [number] = byNumber.keys();
  const origin = number ?? {
    waba_id: wabaId,
    phone_number_id: simulation.numbers.firstOf(wabaId)?.phone_number_id ?? '',
  };
  const kinds = [...wamids.map(() => 'message' as const), ...changes.map(() => 'account' as const)];
  const body = escapedJson({ object: 'whatsapp_business_account', entry: [...entries.values()] });
  simulation.queue.add(origin, body, kinds, true);
  return { wamids };
}

function readChange(item: unknown, at: string): { wabaId: string; field: string; value: JsonObject } {
  const fields = fieldsOf(item, ['waba_id', 'field', 'value'], at);
  const { value } = fields;
  if (!isObject(value)) throw new BadInput(`${at}value`, 'must be a JSON object');
  return {
    wabaId: optionalText(fields, 'waba_id', { at }) ?? DEFAULT_NUMBER.waba_id,
    field: optionalText(fields, 'field', { at }) ?? 'messages',
    value,
  };
}

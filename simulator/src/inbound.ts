import { newWamid } from './graph/wamid.ts';
import { BadInput, fieldsOf, optionalText, requiredText } from './input.ts';
import { isList, isObject, type JsonObject, typeName } from './json.ts';
import { DEFAULT_NUMBER } from './numbers.ts';
import type { Simulation } from './simulation.ts';
import { messageEnvelope } from './webhooks/payloads.ts';

const FIELDS = ['phone_number_id', 'from', 'user_id', 'name', 'type', 'text', 'payload', 'context'];
const UNSUPPORTED = [
  {
    code: 131051,
    title: 'Message type unknown',
    message: 'Message type unknown',
    error_data: { details: 'Message type is currently not supported.' },
  },
];

/**
 * POST /_simulator/inbound: a customer writes. `text` is short for a text message; every other type has its `payload`,
 * which goes into the webhook as it is. Returns the id of the message. Throws BadInput.
 */
export function receive(simulation: Simulation, body: unknown): { wamid: string } {
  const fields = fieldsOf(body, FIELDS);
  const id = optionalText(fields, 'phone_number_id') ?? DEFAULT_NUMBER.phone_number_id;
  const number = simulation.numbers.get(id);
  if (!number) throw new BadInput('phone_number_id', `there is no number ${id}; POST /_simulator/numbers makes one`);
  const from = optionalText(fields, 'from', { pattern: /^\+?\d{5,15}$/, meaning: 'a phone number, 5 to 15 digits' });
  const userId = optionalText(fields, 'user_id', {
    pattern: /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/,
    meaning: 'a business-scoped user id such as US.13491208655302741918',
  });
  if (from === undefined && userId === undefined) throw new BadInput('from', 'is missing, and user_id too');
  const type = optionalText(fields, 'type', { pattern: /^[a-z_]{1,40}$/, meaning: 'lower-case letters' }) ?? 'text';
  const digits = from?.replace('+', '');
  const wamid = newWamid(digits ?? userId ?? '', 'inbound');
  const envelope = messageEnvelope(number, {
    from: digits,
    user_id: userId,
    name: optionalText(fields, 'name', { max: 256 }) ?? 'Customer',
    id: wamid,
    type,
    payload: payloadOf(type, fields),
    context: contextOf(fields, number.display_phone_number),
    at: Date.now(),
  });
  simulation.tally.inbound++;
  const faults = simulation.rules.draw(number.phone_number_id)?.webhooks;
  simulation.announcements.announce(number.phone_number_id, envelope, 'message', faults);
  return { wamid };
}

function payloadOf(type: string, fields: JsonObject): unknown {
  const { text, payload } = fields;
  if (text !== undefined && payload !== undefined)
    throw new BadInput('payload', 'stands beside text; give one of them');
  if (type === 'text' && payload === undefined) return { body: requiredText(fields, 'text') };
  if (text !== undefined)
    throw new BadInput('text', `is for messages of type text; one of type ${type} has its payload`);
  if (type === 'unsupported') return payload ?? UNSUPPORTED;
  if (isObject(payload) || (type === 'contacts' && isList(payload))) return payload;
  throw new BadInput('payload', `must be what Meta documents for type ${type}, got ${typeName(payload)}`);
}

/** `{"message_id"}` of the message that is answered, or the context as Meta documents it. */
function contextOf({ context }: JsonObject, businessNumber: string): JsonObject | undefined {
  if (context === undefined || context === null) return undefined;
  if (!isObject(context)) throw new BadInput('context', `must be a JSON object, got ${typeName(context)}`);
  const { message_id: messageId, ...others } = context;
  return messageId === undefined ? others : { from: businessNumber, id: messageId, ...others };
}

import { PHONE, USER_ID } from './inbound.ts';
import { BadInput, fieldsOf, optionalNumber, optionalText, optionalWord } from './input.ts';
import type { Simulation } from './simulation.ts';
import { newestTo } from './taps.ts';

const STATUSES = ['sent', 'delivered', 'read', 'played', 'failed'] as const;

/**
 * POST /_simulator/statuses: `{"wamid" | "to", "status"?, "code"?}`: a status comes about now. `to` means the newest message to
 * that customer; without a status it is *read*. Throws BadInput.
 */
export function tellStatus(simulation: Simulation, body: unknown): { wamid: string; status: string } {
  const fields = fieldsOf(body, ['wamid', 'to', 'status', 'code']);
  const wamid = optionalText(fields, 'wamid');
  const to = optionalText(fields, 'to');
  if (wamid === undefined && to === undefined) throw new BadInput('wamid', 'is missing, and to as well');
  if (to !== undefined && !PHONE.pattern.test(to) && !USER_ID.pattern.test(to)) {
    throw new BadInput('to', `must be ${PHONE.meaning}, or ${USER_ID.meaning}`);
  }
  const status = optionalWord(fields, 'status', STATUSES) ?? 'read';
  const code = optionalNumber(fields, 'code', { min: 0, max: 9_999_999 });
  if (code !== undefined && status !== 'failed') throw new BadInput('code', 'is for the status failed');
  const message = newestTo(simulation, to?.replace('+', '') ?? '', wamid);
  const number = message && simulation.numbers.get(message.phone_number_id);
  if (!message || !number) throw new BadInput(wamid === undefined ? 'to' : 'wamid', 'there is no such message');
  const { customers, clock, statuses } = simulation;
  const names = USER_ID.pattern.test(message.to)
    ? { user_id: message.to, wa_id: customers.phoneOf(message.to) }
    : { wa_id: message.to.replace(/\D/g, '') };
  const about = { wamid: message.wamid, ...names, profile: customers.profileOf(names) };
  const sent = { ...about, opaque: message.opaque ?? undefined, category: 'service' as const };
  statuses.say(number, sent, status, clock.now(), code);
  return { wamid: message.wamid, status };
}

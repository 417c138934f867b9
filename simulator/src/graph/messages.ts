import { NO_FAULTS, type Plan, type Treatment } from '../faults/plan.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import { json, type Reply } from '../reply.ts';
import type { Simulation } from '../simulation.ts';
import { checkParameters } from '../templates/parameters.ts';
import { categoryOf, type TemplateStatus } from '../templates/template.ts';
import type { Category, Sent } from '../webhooks/payloads.ts';
import { codedError, graphError } from './errors.ts';
import type { Message } from './message.ts';
import { checkContent, TYPES } from './message-check.ts';
import { restrict } from './restrictions.ts';
import { newWamid } from './wamid.ts';

const USER_ID = /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/;
const PHONE = /^\+?[\d ().-]{5,30}$/;
const MAX_OPAQUE = 512;
const SENDABLE: readonly TemplateStatus[] = ['APPROVED', 'FLAGGED', 'LOCKED'];

/** POST /{phone_number_id}/messages: a message, or the mark that one was read. `raw` is the request's body. */
export function send(simulation: Simulation, number: BusinessNumber, raw: string): Reply {
  const reply = answer(simulation, number, raw);
  if (reply.status !== 200) simulation.tally.refused++;
  return reply;
}

function answer(simulation: Simulation, number: BusinessNumber, raw: string): Reply {
  const body = parseJson(raw);
  if (!isObject(body)) return graphError('(#100) Invalid parameter: the body must be a JSON object.');
  if (body.messaging_product !== 'whatsapp') {
    return graphError('(#100) The parameter messaging_product is required.');
  }
  if (body.status !== undefined) return markRead(simulation, body);
  const message = read(simulation, number, body);
  return 'status' in message ? message : deal(simulation, number, message, raw);
}

function markRead(simulation: Simulation, body: JsonObject): Reply {
  if (body.status !== 'read') return graphError('(#100) Param status must be one of {READ}.');
  const { message_id: id, typing_indicator: typing } = body;
  if (typeof id !== 'string' || !id.startsWith('wamid.')) {
    return codedError(131009, 'message_id must be the id of a message that a customer sent');
  }
  if (typing !== undefined && !(isObject(typing) && typing.type === 'text')) {
    return graphError("(#100) Param typing_indicator['type'] must be one of {TEXT}.");
  }
  simulation.tally.read_marks++;
  return json({ success: true });
}

/** The message in a request, or the refusal. */
function read(simulation: Simulation, number: BusinessNumber, body: JsonObject): Message | Reply {
  const { to, recipient, recipient_type: recipientType, biz_opaque_callback_data: opaque, context } = body;
  if (recipientType !== undefined && recipientType !== 'individual') {
    return graphError('(#100) Param recipient_type must be one of {INDIVIDUAL}: the simulator has no groups.');
  }
  // Given both, `to` wins (business-scoped user ids, 2026-02).
  const address = to ?? recipient;
  if (typeof address !== 'string' || address === '') return graphError('(#100) The parameter to is required.');
  const waId = address === to ? address.replace(/\D/g, '') : undefined;
  const malformed =
    waId === undefined ? !USER_ID.test(address) : !PHONE.test(address) || waId.length < 5 || waId.length > 15;
  if (malformed) {
    return codedError(131009, `${waId === undefined ? 'recipient' : 'to'} is malformed: ${address.slice(0, 140)}`);
  }
  if (waId === number.display_phone_number) return codedError(131021);
  const type = body.type === undefined ? 'text' : TYPES.find((candidate) => candidate === body.type);
  if (type === undefined) {
    return graphError(
      `(#100) Param type must be one of {${TYPES.join(', ').toUpperCase()}} - got "${String(body.type)}".`,
    );
  }
  if (opaque !== undefined && (typeof opaque !== 'string' || opaque.length > MAX_OPAQUE)) {
    return graphError(`(#100) Param biz_opaque_callback_data must be at most ${MAX_OPAQUE} characters long.`);
  }
  if (context !== undefined && !(isObject(context) && typeof context.message_id === 'string')) {
    return graphError("(#100) The parameter context['message_id'] is required.");
  }
  const problem = checkContent(type, body[type], (id) => simulation.media.kindOf(id));
  if (problem) return problem;
  const category =
    type === 'template' ? readTemplate(simulation, number, body.template, waId === undefined) : 'service';
  return typeof category === 'string' ? { type, to: address, waId, opaque, category } : category;
}

/** The category of the template that a message names, or the refusal. */
function readTemplate(
  simulation: Simulation,
  number: BusinessNumber,
  content: unknown,
  toUserId: boolean,
): Category | Reply {
  const { name, language, components } = isObject(content) ? content : {};
  const code = isObject(language) ? language.code : undefined;
  const template = simulation.templates.find(number.waba_id, name, code);
  if (template?.status === 'PAUSED') return codedError(132015);
  if (template?.status === 'DISABLED') return codedError(132016);
  if (!template || !SENDABLE.includes(template.status)) {
    return codedError(132001, `template name (${String(name)}) does not exist in ${String(code)}`);
  }
  if (toUserId && template.category === 'AUTHENTICATION') return codedError(131062);
  return checkParameters(template, components, (id) => simulation.media.kindOf(id)) ?? categoryOf(template);
}

/** Lets the faults and limits of a good message decide what becomes of it. */
function deal(simulation: Simulation, number: BusinessNumber, message: Message, raw: string): Reply {
  const { magic, rules, tally } = simulation;
  const { phone_number_id: id } = number;
  const plan = magic.plan(message.to) ?? rules.draw(id) ?? NO_FAULTS;
  if (plan !== NO_FAULTS) tally.plan(plan);
  const refusal = beforeAccepting(plan.treatment);
  if (refusal) return refusal;
  const { refusal: code, failure, silence } = restrict(simulation, number, message);
  if (code !== undefined) {
    tally.limit(code);
    return codedError(code);
  }
  if (failure !== undefined) tally.limit(failure);
  const dealt = plan.treatment?.kind === 'failed' ? plan.treatment.code : failure;
  return afterAccepting(plan.treatment, accept(simulation, number, message, raw, { plan, failure: dealt, silence }));
}

function beforeAccepting(treatment: Treatment | undefined): Reply | undefined {
  switch (treatment?.kind) {
    case 'error':
      return codedError(treatment.code);
    case 'cut_before':
      return { ...NOTHING, cut: true };
    case 'server_error':
      return { status: treatment.status, type: 'text/html; charset=utf-8', body: ERROR_PAGE };
    case 'garbage':
      return treatment.accepted ? undefined : GARBAGE;
    default:
      return undefined;
  }
}

function afterAccepting(treatment: Treatment | undefined, answered: Reply): Reply {
  switch (treatment?.kind) {
    case 'slow':
      return { ...answered, delay: treatment.delay };
    case 'cut_after':
      return { ...answered, cut: true };
    case 'garbage':
      return GARBAGE;
    default:
      return answered;
  }
}

const NOTHING: Reply = { status: 500, type: 'text/plain', body: '' };
const GARBAGE: Reply = { status: 200, type: 'application/json', body: '{"messaging_product":"whatsapp","mess\u0000' };
const ERROR_PAGE =
  '<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>';

/** What shall become of an accepted message. */
interface Fortune {
  plan: Plan;
  /** The code with which it fails. */
  failure: number | undefined;
  /** Whether the customer has blocked the number, so that it never arrives. */
  silence: boolean;
}

function accept(
  simulation: Simulation,
  number: BusinessNumber,
  message: Message,
  raw: string,
  { plan, failure, silence }: Fortune,
): Reply {
  const { type, to, waId, opaque, category } = message;
  const { ledger, statuses, clock } = simulation;
  const now = clock.now();
  const wamid = newWamid(waId ?? to, 'outbound');
  const head = { wamid, phone_number_id: number.phone_number_id, to, type, opaque: opaque ?? null };
  ledger.add(head, now, raw);
  const sent = { wamid, ...recipientOf(simulation, number, message), opaque, category };
  if (silence) statuses.beginUndelivered(number, sent, now, plan.webhooks);
  else statuses.begin(number, sent, now, plan.webhooks, failure);
  return json({
    messaging_product: 'whatsapp',
    contacts: [{ input: to, ...(waId === undefined ? { user_id: to } : { wa_id: waId }) }],
    // Templates alone are paced, so that they alone say how they fare.
    messages: [type === 'template' ? { id: wamid, message_status: 'accepted' } : { id: wamid }],
  });
}

/** By which names the statuses call the customer. */
function recipientOf(
  { customers, settings }: Simulation,
  number: BusinessNumber,
  { to, waId }: Pick<Message, 'to' | 'waId'>,
): Pick<Sent, 'wa_id' | 'user_id' | 'by_phone' | 'profile'> {
  if (waId !== undefined) {
    const userId = customers.userIdOf(number.portfolio_id, waId, settings.user_ids);
    if (userId === undefined) return { wa_id: waId };
    return { wa_id: waId, user_id: userId, by_phone: true, profile: customers.profileOf({ wa_id: waId }) };
  }
  return { wa_id: customers.phoneOf(to), user_id: to, profile: customers.profileOf({ user_id: to }) };
}

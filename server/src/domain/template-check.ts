import { AldisError } from './errors.ts';
import type { TemplateId } from './ids.ts';
import type { Template } from './message.ts';
import type { TemplateCategory } from './template-definition.ts';
import {
  asRecord,
  type ButtonShape,
  type CardShape,
  type HeaderShape,
  type TemplateShape,
  type TextShape,
  typeOf,
} from './template-shape.ts';
import { fateOf, type StoredTemplate } from './template-status.ts';

/**
 * What is known of a template that a message names. `unsynced`: the account's templates were never read. `only_in`: it is there in
 * these languages, and not in the one asked for.
 */
export type FoundTemplate = StoredTemplate | { only_in: readonly string[] } | 'absent' | 'unsynced';

/** What a template makes of a message. */
export interface TemplateVerdict {
  category: TemplateCategory;
  template_id: TemplateId;
  /** `template`: the message waits until the template is sent again. */
  held: 'template' | null;
}

/** Limits of values in characters (Meta: messages/template-messages, parameter object). */
const VALUE_LIMITS = {
  header: 60,
  body: 1024,
  bodyAlone: 32_768,
  url: 2000,
  couponCode: 15,
  payload: 128,
  code: 15,
} as const;

/** Components that belong to no part of the definition, and whose contents WhatsApp alone knows. */
const PASSED: readonly string[] = ['order_status', 'order_details', 'tap_target_configuration'];

/**
 * Holds what a message gives a template against what the template asks for, before it is accepted: WhatsApp would refuse it
 * when it is sent (132000, 132001, 132012, 132018).
 * @param field what the request calls the template: `template` or `fallback_template`.
 * @returns null when nothing is known of the account's templates, so that nothing can be said.
 * @throws {AldisError} `unknown_template`, `template_unavailable`, `invalid_field`, `missing_field`
 */
export function checkTemplateSend(template: Template, found: StoredTemplate, field?: string): TemplateVerdict;
export function checkTemplateSend(template: Template, found: FoundTemplate, field?: string): TemplateVerdict | null;
export function checkTemplateSend(
  template: Template,
  found: FoundTemplate,
  field = 'template',
): TemplateVerdict | null {
  if (found === 'unsynced') return null;
  const called = `${template.name} (${template.language})`;
  if (found === 'absent' || 'only_in' in found) {
    const languages = found === 'absent' ? '' : `; it has it in ${found.only_in.join(', ')}`;
    throw new AldisError('unknown_template', `The account of the sender has no template ${called}${languages}.`, {
      field,
    });
  }
  const fate = fateOf(found.status);
  if (fate === 'refuse') {
    const why = found.reason === null ? '' : `: ${found.reason}`;
    throw new AldisError('template_unavailable', `The template ${called} is ${found.status}${why}.`, {
      field,
      details: { status: found.status },
    });
  }
  checkComponents(template.components ?? [], found, `${field}.components`);
  return { category: found.category, template_id: found.id, held: fate === 'hold' ? 'template' : null };
}

type Json = Readonly<Record<string, unknown>>;

/** Holds the components of a send against what a template asks for. @throws {AldisError} `invalid_field`, `missing_field` */
export function checkComponents(
  components: readonly unknown[],
  { shape, parameter_format }: Pick<StoredTemplate, 'shape' | 'parameter_format'>,
  field: string,
): void {
  const texts: TextRules = {
    named: parameter_format === 'NAMED',
    bodyLimit: shape.bodyAlone ? VALUE_LIMITS.bodyAlone : VALUE_LIMITS.body,
  };
  const seen: Seen = new Set();
  for (let i = 0; i < components.length; i++) {
    const at = `${field}[${i}]`;
    const component = recordAt(components[i], at);
    const type = wordAt(component, 'type', at);
    if (PASSED.includes(type)) continue;
    if (type === 'limited_time_offer') checkOffer(component, shape, at, seen);
    else if (type === 'carousel') checkCarousel(component, shape, texts, at, seen);
    else checkPart(component, type, shape, texts, at, seen);
  }
  checkMissing(shape, seen, field);
  if (shape.offer?.expires && !seen.has('limited_time_offer')) {
    throw missing(field, 'a component of type limited_time_offer with expiration_time_ms, for the offer ends');
  }
  if (shape.cards && !seen.has('carousel'))
    throw missing(field, `a component of type carousel with ${shape.cards.length} cards`);
}

interface TextRules {
  named: boolean;
  bodyLimit: number;
}

/** Which parts of a template were given: `header`, `button 0`. Each may be given once. */
type Seen = Set<string>;

function see(seen: Seen, part: string, at: string): void {
  if (seen.has(part)) throw invalid(at, `is the second one for the ${part}`);
  seen.add(part);
}

/** Header, body and buttons: of the message itself and of each card. */
function checkPart(component: Json, type: string, shape: CardShape, texts: TextRules, at: string, seen: Seen): void {
  switch (type) {
    case 'header':
      see(seen, 'header', at);
      checkHeader(component, shape.header, texts, at);
      break;
    case 'body':
      see(seen, 'body', at);
      checkTexts(component, shape.body, 'body', texts, texts.bodyLimit, at);
      break;
    case 'button':
      checkButton(component, shape.buttons, at, seen);
      break;
    case 'footer':
      throw invalid(at, 'is for the footer, which takes no parameters');
    default:
      throw invalid(`${at}.type`, 'must be header, body, button, limited_time_offer or carousel');
  }
}

function checkMissing(shape: CardShape, seen: Seen, field: string): void {
  const { header, body, buttons } = shape;
  if (header && !seen.has('header') && header.format !== 'OTHER') {
    if (header.format !== 'TEXT') {
      throw missing(field, `a component of type header with a parameter of type ${header.format.toLowerCase()}`);
    }
    if (header.variables.length > 0) throw missing(field, `a component of type header with ${asked(header)}`);
  }
  if (body.variables.length > 0 && !seen.has('body'))
    throw missing(field, `a component of type body with ${asked(body)}`);
  buttons.forEach(({ needs, subType }, index) => {
    if (needs !== null && !seen.has(`button ${index}`)) {
      throw missing(
        field,
        `a component of type button with sub_type ${subType}, index ${index} and a parameter of type ${needs}`,
      );
    }
  });
}

function checkHeader(component: Json, header: HeaderShape | null, texts: TextRules, at: string): void {
  if (header === null) throw invalid(at, 'is for the header, and the template has none');
  if (header.format === 'OTHER') return;
  if (header.format === 'TEXT') {
    checkTexts(component, header, 'header', texts, VALUE_LIMITS.header, at);
    return;
  }
  const type = header.format.toLowerCase();
  const [parameter, place] = onlyParameter(component, at, `one of type ${type}`);
  if (wordAt(parameter, 'type', place) !== type)
    throw invalid(`${place}.type`, `must be ${type}, as the template's header is`);
  const value = recordAt(parameter[type], `${place}.${type}`);
  if (header.format === 'LOCATION') checkLocation(value, `${place}.${type}`);
  else checkFile(value, `${place}.${type}`);
}

function checkFile(value: Json, at: string): void {
  const { id, link } = value;
  if ((id === undefined) === (link === undefined)) throw invalid(at, 'must have id or link, and not both');
  if (id !== undefined) textAt(value, 'id', at, 128);
  else if (!/^https?:\/\/[^\s/]+/i.test(textAt(value, 'link', at, 2048)))
    throw invalid(`${at}.link`, 'must be an http or https URL');
}

function checkLocation(value: Json, at: string): void {
  for (const [name, most] of [
    ['latitude', 90],
    ['longitude', 180],
  ] as const) {
    const told = value[name];
    // Of what is neither a number nor a text, Number makes 0 too often.
    const degrees =
      typeof told === 'number' || (typeof told === 'string' && told.trim() !== '') ? Number(told) : Number.NaN;
    if (!(Math.abs(degrees) <= most)) {
      throw invalid(`${at}.${name}`, `must be a number of degrees from -${most} to ${most}`);
    }
  }
}

function checkTexts(
  component: Json,
  { variables }: TextShape,
  part: string,
  { named }: TextRules,
  limit: number,
  at: string,
): void {
  const parameters = parametersOf(component, at);
  if (parameters.length !== variables.length) {
    const has =
      variables.length === 0 ? 'no variables' : `${count(variables.length, 'variable')} (${variables.join(', ')})`;
    throw invalid(
      `${at}.parameters`,
      `must be ${variables.length}, for the template's ${part} has ${has}; there are ${parameters.length}`,
    );
  }
  const given = new Set<string>();
  parameters.forEach((parameter, i) => {
    const place = `${at}.parameters[${i}]`;
    checkValue(parameter, place, limit, part);
    if (!named) return;
    if (parameter['parameter_name'] === undefined) {
      const text = `${place}.parameter_name is required: the template's ${part} has named variables: ${variables.join(', ')}.`;
      throw new AldisError('missing_field', text, { field: `${place}.parameter_name` });
    }
    const name = textAt(parameter, 'parameter_name', place, 100);
    if (!variables.includes(name)) {
      throw invalid(`${place}.parameter_name`, `must be a variable of the template's ${part}: ${variables.join(', ')}`);
    }
    if (given.has(name)) throw invalid(`${place}.parameter_name`, `gives ${name} for the second time`);
    given.add(name);
  });
}

/** Kinds of values that a text takes: their fallback is what is shown where a phone cannot word them itself. */
function checkValue(parameter: Json, at: string, limit: number, part: string): void {
  const type = wordAt(parameter, 'type', at);
  if (type === 'currency' || type === 'date_time') {
    checkText(
      textAt(recordAt(parameter[type], `${at}.${type}`), 'fallback_value', `${at}.${type}`, limit),
      `${at}.${type}.fallback_value`,
    );
    return;
  }
  if (type !== 'text') throw invalid(`${at}.type`, `must be text, currency or date_time in the ${part}`);
  checkText(textAt(parameter, 'text', at, limit), `${at}.text`);
}

function checkText(text: string, at: string): void {
  if (/[\n\r\t]| {5}/.test(text))
    throw invalid(at, 'must have no line breaks, no tabs and at most four spaces in a row');
}

function checkButton(component: Json, buttons: readonly ButtonShape[], at: string, seen: Seen): void {
  const index = indexAt(component, 'index', at);
  const button = buttons[index];
  if (!button) {
    throw invalid(
      `${at}.index`,
      `must be less than ${buttons.length}: the template has ${count(buttons.length, 'button')}`,
    );
  }
  see(seen, `button ${index}`, at);
  if (wordAt(component, 'sub_type', at) !== button.subType) {
    throw invalid(`${at}.sub_type`, `must be ${button.subType}, as button ${index} of the template is`);
  }
  const takes = button.needs ?? button.may;
  if (takes === null) throw invalid(at, `is for button ${index} of the template, which takes nothing`);
  const [parameter, place] = onlyParameter(component, at, `one of type ${takes}`);
  if (wordAt(parameter, 'type', place) !== takes) throw invalid(`${place}.type`, `must be ${takes}`);
  if (takes === 'action') recordAt(parameter['action'], `${place}.action`);
  else if (takes === 'coupon_code') textAt(parameter, 'coupon_code', place, VALUE_LIMITS.couponCode);
  else if (takes === 'payload') textAt(parameter, 'payload', place, VALUE_LIMITS.payload);
  else textAt(parameter, 'text', place, button.type === 'OTP' ? VALUE_LIMITS.code : VALUE_LIMITS.url);
}

function checkOffer(component: Json, shape: TemplateShape, at: string, seen: Seen): void {
  if (shape.offer === null) throw invalid(at, 'is for a limited-time offer, and the template is none');
  see(seen, 'limited_time_offer', at);
  const [parameter, place] = onlyParameter(component, at, 'one of type limited_time_offer');
  const offer = recordAt(parameter['limited_time_offer'], `${place}.limited_time_offer`);
  const time = offer['expiration_time_ms'];
  if (!Number.isSafeInteger(time) || Number(time) <= 0) {
    throw invalid(`${place}.limited_time_offer.expiration_time_ms`, 'must be a time in milliseconds since 1970');
  }
}

function checkCarousel(component: Json, shape: TemplateShape, texts: TextRules, at: string, seen: Seen): void {
  if (shape.cards === null) throw invalid(at, 'is for a carousel, and the template is none');
  see(seen, 'carousel', at);
  const cards = component['cards'];
  if (!Array.isArray(cards) || cards.length !== shape.cards.length) {
    throw invalid(`${at}.cards`, `must be ${shape.cards.length}, as many as the template has`);
  }
  const given = new Set<number>();
  cards.forEach((one: unknown, i) => {
    const place = `${at}.cards[${i}]`;
    const card = recordAt(one, place);
    const index = indexAt(card, 'card_index', place);
    const cardShape = shape.cards?.[index];
    if (!cardShape || given.has(index)) {
      throw invalid(`${place}.card_index`, `must name each card once, from 0 to ${cards.length - 1}`);
    }
    given.add(index);
    const list = card['components'] ?? [];
    if (!Array.isArray(list)) throw invalid(`${place}.components`, 'must be an array');
    const field = `${place}.components`;
    const seenOfCard: Seen = new Set();
    list.forEach((part: unknown, n) => {
      const record = recordAt(part, `${field}[${n}]`);
      checkPart(record, wordAt(record, 'type', `${field}[${n}]`), cardShape, texts, `${field}[${n}]`, seenOfCard);
    });
    checkMissing(cardShape, seenOfCard, field);
  });
}

function onlyParameter(component: Json, at: string, what: string): [Json, string] {
  const parameters = parametersOf(component, at);
  const [only] = parameters;
  if (!only || parameters.length > 1)
    throw invalid(`${at}.parameters`, `must be ${what}; there are ${parameters.length}`);
  return [only, `${at}.parameters[0]`];
}

function parametersOf(component: Json, at: string): Json[] {
  const parameters = component['parameters'] ?? [];
  if (!Array.isArray(parameters)) throw invalid(`${at}.parameters`, 'must be an array');
  return parameters.map((parameter: unknown, i) => recordAt(parameter, `${at}.parameters[${i}]`));
}

function recordAt(value: unknown, at: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(at, 'must be an object');
  return asRecord(value);
}

/** A word that says of which kind something is; WhatsApp takes it in small letters and in capitals. */
function wordAt(part: Json, name: string, at: string): string {
  if (typeof part[name] !== 'string') throw invalid(`${at}.${name}`, 'must be a string');
  return (name === 'type' ? typeOf(part) : part[name]).toLowerCase();
}

function textAt(part: Json, name: string, at: string, most: number): string {
  const text = part[name];
  if (typeof text !== 'string' || text === '') throw invalid(`${at}.${name}`, 'must be a string that is not empty');
  const characters = text.length > most ? [...text].length : 0;
  if (characters > most) throw invalid(`${at}.${name}`, `must be at most ${most} characters, but has ${characters}`);
  return text;
}

/** An index; WhatsApp takes it as a number and as a string. */
function indexAt(part: Json, name: string, at: string): number {
  const value = part[name];
  const index = typeof value === 'string' && /^\d{1,2}$/.test(value) ? Number(value) : value;
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) {
    throw invalid(`${at}.${name}`, 'must be a whole number from 0');
  }
  return index;
}

function asked({ variables }: TextShape): string {
  return `${count(variables.length, 'parameter')} (${variables.join(', ')})`;
}

function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`;
}

function missing(field: string, what: string): AldisError {
  return new AldisError('missing_field', `${field} must have ${what}.`, { field });
}

function invalid(field: string, flaw: string): AldisError {
  return new AldisError('invalid_field', `${field} ${flaw}.`, { field });
}

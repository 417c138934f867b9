import { opaqueFlaw } from './opaque.ts';
import { checkButtons, checkOtp } from './template-buttons.ts';
import type { ParameterFormat, TemplateComponent, TemplateDefinition } from './template-definition.ts';
import { each, invalid, missing, recordAt, textAt } from './template-flaws.ts';
import { TEMPLATE_LIMITS, TTL_LIMITS } from './template-limits.ts';
import { asList, asRecord, formatOf, partOf, typeOf } from './template-shape.ts';
import { checkBody, checkFooter, checkHeader } from './template-texts.ts';

/**
 * Holds the definition of a template against what WhatsApp takes, before it is submitted: a review takes hours, and a refused
 * name stays taken. What only WhatsApp can judge (its policies, the language of the text) is left to it.
 */
export interface DefinitionRules {
  category: TemplateDefinition['category'];
  parameter_format: ParameterFormat;
}

/** Components that any template may have beside its texts, and whose contents WhatsApp alone knows. */
const PASSED: readonly string[] = ['CALL_PERMISSION_REQUEST', 'TAP_TARGET_CONFIGURATION'];
const KNOWN: readonly string[] = ['HEADER', 'BODY', 'FOOTER', 'BUTTONS', 'CAROUSEL', 'LIMITED_TIME_OFFER', ...PASSED];
const HEADER_FORMATS: readonly string[] = ['TEXT', 'IMAGE', 'VIDEO', 'DOCUMENT', 'LOCATION'];

/**
 * Checks components, and gives them with their types in capitals, as WhatsApp writes them.
 * @param field what the request calls them.
 * @throws {AldisError} `missing_field`, `invalid_field`, naming the field and its limit.
 */
export function checkDefinition(
  components: readonly unknown[],
  rules: DefinitionRules,
  field = 'components',
): TemplateComponent[] {
  const flaw = opaqueFlaw(components, TEMPLATE_LIMITS.bytes);
  if (flaw) throw invalid(`${field}${flaw.path}`, flaw.flaw);
  const written = componentsAt(components, field, KNOWN);
  if (rules.category === 'authentication') checkAuthentication(written, field);
  else if (partOf(written, 'CAROUSEL')) checkCarousel(written, rules, field);
  else if (partOf(written, 'LIMITED_TIME_OFFER')) checkOffer(written, rules, field);
  else checkUsual(written, rules, field);
  return written;
}

/** How long WhatsApp may try to deliver messages of a category, in seconds. @throws {AldisError} `invalid_field` */
export function checkTimeToLive(seconds: number, category: DefinitionRules['category'], field: string): void {
  const { least, most } = TTL_LIMITS[category];
  if (seconds !== -1 && (seconds < least || seconds > most)) {
    throw invalid(field, `must be from ${least} to ${most} for category ${category}, or -1`, { least, most });
  }
}

function componentsAt(components: readonly unknown[], field: string, known: readonly string[]): TemplateComponent[] {
  const seen = new Set<string>();
  return components.map((one, i) => {
    const at = `${field}[${i}]`;
    const component = recordAt(one, at);
    const type = typeOf(component);
    if (!known.includes(type)) throw invalid(`${at}.type`, `must be one of ${known.join(', ')}`);
    if (seen.has(type)) throw invalid(at, `is the second component of type ${type}`);
    seen.add(type);
    const written: Record<string, unknown> = { ...component, type };
    if (type === 'HEADER') written['format'] = formatOf(component);
    if (type === 'BUTTONS') written['buttons'] = buttonsAt(component, at);
    if (type === 'CAROUSEL') written['cards'] = cardsAt(component, at);
    return written;
  });
}

function buttonsAt(component: TemplateComponent, at: string): TemplateComponent[] {
  const { buttons } = component;
  if (!Array.isArray(buttons) || buttons.length === 0) throw invalid(`${at}.buttons`, 'must be an array of buttons');
  return buttons.map((button: unknown, i) => {
    const written = recordAt(button, `${at}.buttons[${i}]`);
    const otp = written['otp_type'];
    return { ...written, type: typeOf(written), ...(typeof otp === 'string' && { otp_type: otp.toUpperCase() }) };
  });
}

function cardsAt(component: TemplateComponent, at: string): TemplateComponent[] {
  const { cards } = component;
  if (!Array.isArray(cards)) throw invalid(`${at}.cards`, 'must be an array of cards');
  return cards.map((card: unknown, i) => {
    const place = `${at}.cards[${i}]`;
    const written = recordAt(card, place);
    const { components } = written;
    if (!Array.isArray(components)) throw invalid(`${place}.components`, 'must be an array');
    return { ...written, components: componentsAt(components, `${place}.components`, ['HEADER', 'BODY', 'BUTTONS']) };
  });
}

function checkUsual(components: readonly TemplateComponent[], rules: DefinitionRules, field: string): void {
  each(components, field, (component, type, at) => {
    if (type === 'HEADER') checkHeader(component, rules, at, HEADER_FORMATS);
    if (type === 'BODY') checkBody(component, rules, at, TEMPLATE_LIMITS.body);
    if (type === 'FOOTER') checkFooter(component, at);
    if (type === 'BUTTONS') checkButtons(component, at, 'the template');
  });
  if (!partOf(components, 'BODY')) throw missing(field, 'a component of type BODY');
}

/** Codes: WhatsApp words the body itself. */
function checkAuthentication(components: readonly TemplateComponent[], field: string): void {
  let button: TemplateComponent | undefined;
  each(components, field, (component, type, at) => {
    switch (type) {
      case 'BODY': {
        const add = component['add_security_recommendation'];
        if (component['text'] !== undefined)
          throw invalid(`${at}.text`, 'must be absent: WhatsApp words the body of an authentication template');
        if (add !== undefined && typeof add !== 'boolean')
          throw invalid(`${at}.add_security_recommendation`, 'must be true or false');
        break;
      }
      case 'FOOTER': {
        const { least, most } = TEMPLATE_LIMITS.codeExpirationMinutes;
        const minutes = component['code_expiration_minutes'];
        if (!Number.isInteger(minutes) || Number(minutes) < least || Number(minutes) > most) {
          throw invalid(`${at}.code_expiration_minutes`, `must be a whole number from ${least} to ${most}`, {
            least,
            most,
          });
        }
        break;
      }
      case 'BUTTONS': {
        const buttons = asList(component['buttons']).map(asRecord);
        [button] = buttons;
        if (!button || buttons.length > 1)
          throw invalid(`${at}.buttons`, 'must be one button of type OTP', { limit: 1 });
        checkOtp(button, `${at}.buttons[0]`);
        break;
      }
      default:
        throw invalid(`${at}.type`, 'must be BODY, FOOTER or BUTTONS for category authentication');
    }
  });
  if (!partOf(components, 'BODY')) throw missing(field, 'a component of type BODY');
  if (!button) throw missing(field, 'a component of type BUTTONS with one button of type OTP');
}

/** Cards beside each other, all of one shape. */
function checkCarousel(components: readonly TemplateComponent[], rules: DefinitionRules, field: string): void {
  each(components, field, (component, type, at) => {
    if (type === 'BODY') checkBody(component, rules, at, TEMPLATE_LIMITS.body);
    else if (type === 'CAROUSEL') checkCards(component, rules, at);
    else if (!PASSED.includes(type)) throw invalid(`${at}.type`, 'must be BODY or CAROUSEL in a carousel template');
  });
  if (!partOf(components, 'BODY')) throw missing(field, 'a component of type BODY');
}

function checkCards(carousel: TemplateComponent, rules: DefinitionRules, at: string): void {
  const { least, most } = TEMPLATE_LIMITS.cards;
  const cards = asList(carousel['cards']).map(asRecord);
  if (cards.length < least || cards.length > most)
    throw invalid(`${at}.cards`, `must be ${least} to ${most} cards`, { least, most });
  const shapes = cards.map((card, i) => {
    const field = `${at}.cards[${i}].components`;
    const components = asList(card['components']).map(asRecord);
    each(components, field, (component, type, place) => {
      if (type === 'HEADER') checkHeader(component, rules, place, ['IMAGE', 'VIDEO', 'PRODUCT']);
      if (type === 'BODY') checkBody(component, rules, place, TEMPLATE_LIMITS.cardBody);
      if (type === 'BUTTONS') checkButtons(component, place, 'a card');
    });
    const header = partOf(components, 'HEADER');
    const buttons = asList(partOf(components, 'BUTTONS')?.['buttons']).map(asRecord);
    if (!header) throw missing(field, 'a component of type HEADER with an image or a video');
    const { least: few, most: many } = TEMPLATE_LIMITS.cardButtons;
    if (buttons.length < few || buttons.length > many) {
      throw invalid(field, `must have a component of type BUTTONS with ${few} or ${many} buttons`, {
        least: few,
        most: many,
      });
    }
    return [header['format'], partOf(components, 'BODY') ? 'with body' : 'without body', ...buttons.map(typeOf)].join(
      ', ',
    );
  });
  shapes.forEach((shape, i) => {
    if (shape !== shapes[0]) {
      throw invalid(`${at}.cards[${i}]`, `must be of the same shape as the first card (${shapes[0]}), but is ${shape}`);
    }
  });
}

function checkOffer(components: readonly TemplateComponent[], rules: DefinitionRules, field: string): void {
  if (rules.category !== 'marketing') throw invalid('category', 'must be marketing for a limited-time offer');
  let expires = false;
  each(components, field, (component, type, at) => {
    switch (type) {
      case 'LIMITED_TIME_OFFER': {
        const offer = recordAt(component['limited_time_offer'], `${at}.limited_time_offer`);
        textAt(offer, 'text', `${at}.limited_time_offer`, TEMPLATE_LIMITS.offerText);
        expires = offer['has_expiration'] === true;
        break;
      }
      case 'HEADER':
        checkHeader(component, rules, at, ['IMAGE', 'VIDEO']);
        break;
      case 'BODY':
        checkBody(component, rules, at, TEMPLATE_LIMITS.offerBody);
        break;
      case 'BUTTONS':
        checkButtons(component, at, 'the template');
        break;
      default:
        throw invalid(`${at}.type`, 'must be HEADER, BODY, BUTTONS or LIMITED_TIME_OFFER in a limited-time offer');
    }
  });
  if (!partOf(components, 'BODY')) throw missing(field, 'a component of type BODY');
  const types = asList(partOf(components, 'BUTTONS')?.['buttons']).map((button) => typeOf(asRecord(button)));
  if (!types.includes('URL')) throw missing(field, 'a component of type BUTTONS with a button of type URL');
  if (expires && types[0] !== 'COPY_CODE') throw missing(field, 'a first button of type COPY_CODE, for the offer ends');
}

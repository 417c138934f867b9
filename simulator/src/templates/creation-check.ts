import { graphError, templateError } from '../graph/errors.ts';
import { isList, isObject, type JsonObject, textOf } from '../json.ts';
import type { Reply } from '../reply.ts';
import { buttonsOf, componentOf, type Template, variablesOf } from './template.ts';

/**
 * What Meta refuses at once about the components of a new or edited template. Limits: .../templates/components (2026-05-21).
 * Each check returns the refusal, or undefined.
 */
const MAX = { body: 1024, header: 60, footer: 60, buttons: 10, button_text: 25, url: 2000, phone: 20, cards: 10 };
const TYPES = ['HEADER', 'BODY', 'FOOTER', 'BUTTONS', 'CAROUSEL', 'LIMITED_TIME_OFFER'];
const FORMATS = ['TEXT', 'IMAGE', 'VIDEO', 'DOCUMENT', 'LOCATION', 'PRODUCT'];
const BUTTON_TYPES: Readonly<Record<string, number>> = {
  QUICK_REPLY: 10,
  URL: 2,
  PHONE_NUMBER: 1,
  COPY_CODE: 1,
  FLOW: 1,
  OTP: 1,
  CATALOG: 1,
  MPM: 1,
  SPM: 1,
  VOICE_CALL: 1,
  REQUEST_CONTACT_INFO: 1,
};

function invalid(problem: string): Reply {
  return graphError(`(#100) Invalid parameter: ${problem}`);
}

function tooLong(what: string, text: unknown, max: number): Reply | undefined {
  if (typeof text !== 'string' || text === '') return missing(what);
  if (text.length <= max) return undefined;
  return templateError(2388040, 'Character Limit Exceeded', `${what} has more than ${max} characters.`);
}

function missing(what: string): Reply {
  return templateError(2388043, 'Message template is missing expected fields', `${what} is missing.`);
}

/** What is wrong with the components, or undefined. */
export function checkComponents(
  { category, parameter_format: format }: Pick<Template, 'category' | 'parameter_format'>,
  components: readonly JsonObject[],
): Reply | undefined {
  const seen = new Set<string>();
  for (const component of components) {
    const type = String(component.type).toUpperCase();
    if (!TYPES.includes(type)) return invalid(`component type must be one of ${TYPES.join(', ')}`);
    if (seen.has(type)) return invalid(`there are two components of type ${type}`);
    seen.add(type);
  }
  const body = componentOf(components, 'body');
  if (!body) return missing('A component of type BODY');
  const auth = category === 'AUTHENTICATION';
  if (auth) return checkAuthentication(components);
  return (
    tooLong('The text of the body', body.text, MAX.body) ??
    checkVariables('body', body, format) ??
    checkHeader(componentOf(components, 'header'), format) ??
    checkFooter(componentOf(components, 'footer')) ??
    checkButtons(buttonsOf(components)) ??
    checkCarousel(componentOf(components, 'carousel'), format) ??
    checkOffer(componentOf(components, 'limited_time_offer'))
  );
}

/** The text of an authentication template is Meta's own: only its switches are given, and one button. */
function checkAuthentication(components: readonly JsonObject[]): Reply | undefined {
  if (componentOf(components, 'header')) return invalid('an authentication template has no header');
  const buttons = buttonsOf(components);
  const types = ['COPY_CODE', 'ONE_TAP', 'ZERO_TAP'];
  if (buttons.length !== 1) return missing('One button of type OTP');
  const [button] = buttons;
  const type = String(button?.type).toUpperCase();
  if (type === 'OTP' && !types.includes(String(button?.otp_type).toUpperCase())) {
    return invalid(`otp_type must be one of ${types.join(', ')}`);
  }
  return type === 'OTP' || type === 'URL' ? undefined : invalid('an authentication template has a button of type OTP');
}

function checkHeader(header: JsonObject | undefined, format: Template['parameter_format']): Reply | undefined {
  if (!header) return undefined;
  const kind = textOf(header.format, 'TEXT').toUpperCase();
  if (!FORMATS.includes(kind)) return invalid(`header format must be one of ${FORMATS.join(', ')}`);
  if (kind === 'TEXT') {
    if (variablesOf(header.text).length > 1) return invalid('the header may have one variable');
    return tooLong('The text of the header', header.text, MAX.header) ?? checkVariables('header', header, format);
  }
  if (kind === 'LOCATION' || kind === 'PRODUCT') return undefined;
  const handle = isObject(header.example) ? header.example.header_handle : undefined;
  return isList(handle) && typeof handle[0] === 'string' && handle[0] !== ''
    ? undefined
    : missing('example.header_handle of the header');
}

function checkFooter(footer: JsonObject | undefined): Reply | undefined {
  if (!footer) return undefined;
  if (variablesOf(footer.text).length > 0) return invalid('the footer may have no variables');
  return tooLong('The text of the footer', footer.text, MAX.footer);
}

/** Variables are numbered from 1 without a gap or named, stand neither first nor last, and each has an example. */
function checkVariables(
  what: 'body' | 'header',
  { text, example }: JsonObject,
  format: Template['parameter_format'],
): Reply | undefined {
  const variables = variablesOf(text);
  if (variables.length === 0) return undefined;
  const words = String(text).trim();
  if (what === 'body' && (/^\{\{[^}]*\}\}/.test(words) || /\{\{[^}]*\}\}$/.test(words))) {
    return templateError(
      2388299,
      'Variables at the start or end',
      'Variables cannot be at the start or end of the template.',
    );
  }
  const given = isObject(example) ? example : {};
  if (format === 'NAMED') {
    const wrong = variables.find((name) => !/^[a-z][a-z0-9_]*$/.test(name));
    if (wrong) return invalid(`the variable ${wrong} must be lower-case letters, digits and underscores`);
    const named = given[`${what}_text_named_params`];
    const names = isList(named) ? named.filter(isObject).map((one) => one.param_name) : [];
    return variables.every((name) => names.includes(name))
      ? undefined
      : missing(`example.${what}_text_named_params of the ${what}`);
  }
  if (variables.some((name, index) => name !== String(index + 1))) {
    return invalid(`the variables of the ${what} must be {{1}}, {{2}} and so on, without a gap`);
  }
  const list = given[`${what}_text`];
  const examples = what === 'body' && isList(list) ? list[0] : list;
  return isList(examples) && examples.length === variables.length
    ? undefined
    : missing(`example.${what}_text of the ${what}`);
}

function checkButtons(buttons: readonly JsonObject[]): Reply | undefined {
  if (buttons.length > MAX.buttons) return invalid(`there may be at most ${MAX.buttons} buttons`);
  const counts = new Map<string, number>();
  let grouped: 'reply' | 'other' | undefined;
  let changes = 0;
  for (const button of buttons) {
    const type = String(button.type).toUpperCase();
    const most = BUTTON_TYPES[type];
    if (most === undefined) return invalid(`button type must be one of ${Object.keys(BUTTON_TYPES).join(', ')}`);
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    if (count > most) return invalid(`there may be at most ${most} buttons of type ${type}`);
    const group = type === 'QUICK_REPLY' ? 'reply' : 'other';
    if (grouped !== group) changes++;
    grouped = group;
    const problem = checkButton(type, button);
    if (problem) return problem;
  }
  return changes > 2 ? invalid('quick replies must stand together, before or after the other buttons') : undefined;
}

function checkButton(type: string, button: JsonObject): Reply | undefined {
  if (type === 'COPY_CODE') {
    const example = isList(button.example) ? button.example[0] : button.example;
    return tooLong('example of the copy-code button', example, 15);
  }
  if (type !== 'REQUEST_CONTACT_INFO') {
    const problem = tooLong('The text of a button', button.text, MAX.button_text);
    if (problem) return problem;
  }
  if (type === 'PHONE_NUMBER') return tooLong('phone_number of a button', button.phone_number, MAX.phone);
  if (type !== 'URL') return undefined;
  const problem = tooLong('url of a button', button.url, MAX.url);
  if (problem) return problem;
  const variables = variablesOf(button.url);
  if (variables.length === 0) return undefined;
  if (variables.length > 1 || !/\{\{[^}]*\}\}$/.test(String(button.url))) {
    return invalid('the URL of a button may have one variable, at its end');
  }
  return isList(button.example) && button.example.length === 1 ? undefined : missing('example of a URL button');
}

/** Cards are alike: each has a header, a picture or a video, and the same buttons. */
function checkCarousel(carousel: JsonObject | undefined, format: Template['parameter_format']): Reply | undefined {
  if (!carousel) return undefined;
  const cards = isList(carousel.cards) ? carousel.cards.filter(isObject) : [];
  if (cards.length < 2 || cards.length > MAX.cards) return invalid(`a carousel has 2 to ${MAX.cards} cards`);
  let alike: string | undefined;
  for (const card of cards) {
    const components = isList(card.components) ? card.components.filter(isObject) : [];
    const header = componentOf(components, 'header');
    if (!header || !['IMAGE', 'VIDEO', 'PRODUCT'].includes(String(header.format).toUpperCase())) {
      return invalid('each card has a header of format IMAGE, VIDEO or PRODUCT');
    }
    const body = componentOf(components, 'body');
    const buttons = buttonsOf(components);
    const problem =
      checkHeader(header, format) ??
      (body ? (tooLong('The text of a card', body.text, 160) ?? checkVariables('body', body, format)) : undefined) ??
      (buttons.length > 2 ? invalid('a card has at most 2 buttons') : checkButtons(buttons));
    if (problem) return problem;
    const like = `${String(header.format)} ${body !== undefined} ${buttons.map(({ type }) => type).join(' ')}`;
    if (alike !== undefined && alike !== like) return invalid('all cards must have the same components');
    alike = like;
  }
  return undefined;
}

function checkOffer(offer: JsonObject | undefined): Reply | undefined {
  if (!offer) return undefined;
  const { limited_time_offer: content } = offer;
  return isObject(content)
    ? tooLong('The text of the offer', content.text, 16)
    : missing('limited_time_offer of the component');
}

import { codedError } from '../graph/errors.ts';
import type { KindOf } from '../graph/message-check.ts';
import { isList, isObject, type JsonObject, textOf } from '../json.ts';
import type { Reply } from '../reply.ts';
import { buttonsOf, componentOf, type Template, variablesOf } from './template.ts';

/** What is wrong with the `components` of a send, or undefined when they fit the template and their files are there. */
export function checkParameters(template: Template, components: unknown, kindOf: KindOf): Reply | undefined {
  const given = isList(components) ? components.filter(isObject) : [];
  return checkParts(template, template.components, given, kindOf);
}

function checkParts(
  template: Template,
  parts: readonly JsonObject[],
  given: readonly JsonObject[],
  kindOf: KindOf,
): Reply | undefined {
  for (const part of parts) {
    const kind = String(part.type).toLowerCase();
    const problem =
      kind === 'buttons'
        ? checkButtons(buttonsOf([part]), given)
        : kind === 'header' || kind === 'body'
          ? checkText(template, kind, part, given, kindOf)
          : kind === 'carousel'
            ? checkCards(template, part, given, kindOf)
            : kind === 'limited_time_offer'
              ? checkOffer(part, given)
              : undefined;
    if (problem) return problem;
  }
  return undefined;
}

function checkText(
  template: Template,
  kind: 'header' | 'body',
  part: JsonObject,
  given: readonly JsonObject[],
  kindOf: KindOf,
): Reply | undefined {
  const format = kind === 'header' ? textOf(part.format, 'TEXT').toLowerCase() : 'text';
  const parameters = parametersOf(componentOf(given, kind));
  const variables = variablesOf(part.text);
  const expected = format === 'text' ? variables.length : 1;
  if (parameters.length !== expected) return mismatch(kind, parameters.length, expected);
  if (format !== 'text') {
    const [parameter] = parameters;
    const content = parameter?.[format];
    if (parameter?.type !== format || !isObject(content)) {
      return wrongFormat(kind, format.toUpperCase(), parameter?.type);
    }
    if (content.id === undefined || kindOf(content.id) === format) return undefined;
    return codedError(131053, `${kind}: parameters[0]['${format}']['id'] is not the id of such a file`);
  }
  for (const [index, parameter] of parameters.entries()) {
    const type = String(parameter.type);
    if (!['text', 'currency', 'date_time'].includes(type)) return wrongFormat(kind, 'TEXT', type);
    if (type !== 'text') continue;
    const { text } = parameter;
    if (typeof text !== 'string' || text.trim() === '') {
      return codedError(131008, `${kind}: parameters[${index}]['text'] is required`);
    }
    if (/[\n\t]| {5,}/.test(text)) {
      return codedError(
        132018,
        `${kind}: Param text cannot have new-line/tab characters or more than 4 consecutive spaces`,
      );
    }
  }
  if (template.parameter_format !== 'NAMED') return undefined;
  const missing = variables.find((name) => !parameters.some((parameter) => parameter.parameter_name === name));
  return missing ? codedError(132018, `${kind}: Parameter name is missing or empty: ${missing}`) : undefined;
}

function checkButtons(buttons: readonly JsonObject[], given: readonly JsonObject[]): Reply | undefined {
  for (const [index, button] of buttons.entries()) {
    const type = String(button.type).toUpperCase();
    const needs = type === 'COPY_CODE' || type === 'OTP' || (type === 'URL' && variablesOf(button.url).length > 0);
    if (!needs) continue;
    const component = given.find((one) => String(one.type).toLowerCase() === 'button' && Number(one.index) === index);
    if (parametersOf(component).length !== 1) {
      const shown = `${type.charAt(0)}${type.slice(1).toLowerCase()}`;
      return codedError(131008, `buttons: Button at index ${index} of type ${shown} requires a parameter`);
    }
  }
  return undefined;
}

function checkCards(
  template: Template,
  part: JsonObject,
  given: readonly JsonObject[],
  kindOf: KindOf,
): Reply | undefined {
  const cards = isList(part.cards) ? part.cards.filter(isObject) : [];
  const component = componentOf(given, 'carousel');
  const sent = isList(component?.cards) ? component.cards.filter(isObject) : [];
  if (sent.length !== cards.length) return mismatch('carousel', sent.length, cards.length);
  for (const [index, card] of cards.entries()) {
    const mine = sent.find((one) => one.card_index === index);
    if (!mine) return codedError(131008, `carousel: the card with card_index ${index} is missing`);
    const parts = isList(card.components) ? card.components.filter(isObject) : [];
    const problem = checkParts(
      template,
      parts,
      isList(mine.components) ? mine.components.filter(isObject) : [],
      kindOf,
    );
    if (problem) return problem;
  }
  return undefined;
}

function checkOffer(part: JsonObject, given: readonly JsonObject[]): Reply | undefined {
  const { limited_time_offer: offer } = part;
  if (!isObject(offer) || offer.has_expiration !== true) return undefined;
  const [parameter] = parametersOf(componentOf(given, 'limited_time_offer'));
  const content = parameter?.limited_time_offer;
  return isObject(content) && Number.isInteger(content.expiration_time_ms)
    ? undefined
    : codedError(131008, 'limited_time_offer: expiration_time_ms is required');
}

function parametersOf(component: JsonObject | undefined): readonly JsonObject[] {
  return isList(component?.parameters) ? component.parameters.filter(isObject) : [];
}

function mismatch(kind: string, given: number, expected: number): Reply {
  return codedError(
    132000,
    `${kind}: number of localizable_params (${given}) does not match the expected number of params (${expected})`,
  );
}

function wrongFormat(kind: string, expected: string, given: unknown): Reply {
  return codedError(132012, `${kind}: Format mismatch, expected ${expected}, received ${String(given).toUpperCase()}`);
}

import type { TemplateComponent, TemplateDefinition } from './template-definition.ts';
import {
  asList,
  asRecord,
  componentsOf,
  fillVariables,
  formatOf,
  partOf,
  typeOf,
  variablesOf,
} from './template-shape.ts';

/** What the customer will see, part by part. Texts are as WhatsApp gets them: `*bold*` is still to be made bold. */
export interface TemplatePreview {
  header: PreviewHeader | null;
  body: string | null;
  footer: string | null;
  /** The line of a limited-time offer, and when it ends (milliseconds since 1970; null: it does not). */
  offer: { text: string; expires_at: number | null } | null;
  buttons: PreviewButton[];
  cards: PreviewCard[];
  /** All of it as plain text. */
  text: string;
}

export interface PreviewCard {
  header: PreviewHeader | null;
  body: string | null;
  buttons: PreviewButton[];
}

/** `text` of a TEXT header; else the file or place that was given, all null when there is only the example's. */
export interface PreviewHeader {
  format: string;
  text: string | null;
  /** The file: by WhatsApp's id of it or by its address. */
  media_id: string | null;
  link: string | null;
  filename: string | null;
  location: { latitude: number; longitude: number; name: string | null; address: string | null } | null;
}

/** A button: what is on it, and what a tap opens, dials or copies. */
export interface PreviewButton {
  type: string;
  text: string;
  url: string | null;
  phone_number: string | null;
  code: string | null;
}

type Json = Readonly<Record<string, unknown>>;

/** What stands on buttons whose text WhatsApp chooses, in English. */
const FIXED_TEXTS: Readonly<Record<string, string>> = {
  COPY_CODE: 'Copy offer code',
  CATALOG: 'View catalog',
  MPM: 'View items',
  SPM: 'View',
  OTP: 'Copy code',
};

/**
 * Renders a template with the components of a send. Variables that the send gives no value keep the value of their example,
 * or else stand as they are.
 * @param sent components as in a send; none: the examples are shown.
 */
export function previewTemplate(
  { category, components }: Pick<TemplateDefinition, 'category' | 'components'>,
  sent: readonly unknown[],
): TemplatePreview {
  const given = sent.map(asRecord);
  const main = previewParts(components, given);
  const isCode = category === 'authentication';
  const body = main.body ?? (isCode ? codeBody(components, given) : null);
  const footer = footerOf(partOf(components, 'FOOTER'));
  const offer = offerOf(partOf(components, 'LIMITED_TIME_OFFER'), partOf(given, 'LIMITED_TIME_OFFER'));
  const givenCards = asList(partOf(given, 'CAROUSEL')?.['cards']).map(asRecord);
  const cards = asList(partOf(components, 'CAROUSEL')?.['cards']).map((card, index) => {
    const one = givenCards.find((candidate) => Number(candidate['card_index']) === index);
    return previewParts(componentsOf(asRecord(card)), one ? componentsOf(one) : []);
  });
  const parts = { header: main.header, body, footer, offer, buttons: main.buttons, cards };
  return { ...parts, text: plainText(parts) };
}

function previewParts(components: readonly TemplateComponent[], given: readonly Json[]): PreviewCard {
  const header = partOf(components, 'HEADER');
  const body = partOf(components, 'BODY');
  const buttons = asList(partOf(components, 'BUTTONS')?.['buttons']).map(asRecord);
  return {
    header: header ? headerOf(header, partOf(given, 'HEADER')) : null,
    body: typeof body?.['text'] === 'string' ? filled(body['text'], body, 'body_text', partOf(given, 'BODY')) : null,
    buttons: buttons.map((button, index) => {
      const own = given.find((one) => typeOf(one) === 'BUTTON' && Number(one['index']) === index);
      return buttonOf(button, asRecord(asList(own?.['parameters'])[0]));
    }),
  };
}

function headerOf(header: TemplateComponent, given: Json | undefined): PreviewHeader {
  const format = formatOf(header);
  const value = asRecord(asRecord(asList(given?.['parameters'])[0])[format.toLowerCase()]);
  const place = format === 'LOCATION' && value['latitude'] !== undefined;
  return {
    format,
    text: format === 'TEXT' ? filled(stringOr(header['text'], '') ?? '', header, 'header_text', given) : null,
    media_id: stringOr(value['id'], null),
    link: stringOr(value['link'], null),
    filename: stringOr(value['filename'], null),
    location: place
      ? {
          latitude: Number(value['latitude']),
          longitude: Number(value['longitude']),
          name: stringOr(value['name'], null),
          address: stringOr(value['address'], null),
        }
      : null,
  };
}

/** A text with the values of a send, else with its examples. @param part `body_text` or `header_text`. */
function filled(text: string, component: TemplateComponent, part: string, given: Json | undefined): string {
  const example = asRecord(component['example']);
  const listed = asList(example[part]);
  const examples: readonly unknown[] = Array.isArray(listed[0]) ? listed[0] : listed;
  const named = new Map(
    asList(example[`${part}_named_params`]).map((one) => [asRecord(one)['param_name'], asRecord(one)['example']]),
  );
  const parameters = asList(given?.['parameters']).map(asRecord);
  const places = variablesOf(text);
  return fillVariables(text, (name) => {
    const sent =
      parameters.find((parameter) => parameter['parameter_name'] === name) ?? unnamed(parameters)[places.indexOf(name)];
    const value = (sent && shownOf(sent)) ?? named.get(name) ?? examples[places.indexOf(name)];
    return typeof value === 'string' ? value : undefined;
  });
}

function unnamed(parameters: readonly Json[]): readonly Json[] {
  return parameters.every((parameter) => parameter['parameter_name'] === undefined) ? parameters : [];
}

function shownOf(parameter: Json): unknown {
  const type = typeOf(parameter).toLowerCase();
  return type === 'currency' || type === 'date_time' ? asRecord(parameter[type])['fallback_value'] : parameter['text'];
}

function buttonOf(button: Json, given: Json): PreviewButton {
  const type = typeOf(button);
  const text = typeof button['text'] === 'string' ? button['text'] : (FIXED_TEXTS[type] ?? type);
  const shown: PreviewButton = { type, text, url: null, phone_number: null, code: null };
  const { example } = button;
  const sample: unknown = Array.isArray(example) ? example[0] : example;
  if (type === 'URL' && typeof button['url'] === 'string') shown.url = urlOf(button['url'], given['text'], sample);
  if (type === 'PHONE_NUMBER' && typeof button['phone_number'] === 'string')
    shown.phone_number = button['phone_number'];
  if (type === 'COPY_CODE') shown.code = stringOr(given['coupon_code'], sample);
  if (type === 'OTP') shown.code = stringOr(given['text'], null);
  return shown;
}

/** An example is the whole address, or what is put in the variable's place. */
function urlOf(url: string, suffix: unknown, example: unknown): string {
  if (typeof suffix === 'string') return fillVariables(url, () => suffix);
  if (typeof example !== 'string') return url;
  return /^https?:/i.test(example) && variablesOf(url).length > 0 ? example : fillVariables(url, () => example);
}

/** As WhatsApp words it in English; in another language it says the same. */
function codeBody(components: readonly TemplateComponent[], given: readonly Json[]): string {
  const [code] = asList(partOf(given, 'BODY')?.['parameters']).map(asRecord);
  const word = typeof code?.['text'] === 'string' ? code['text'] : '{{1}}';
  const advice = partOf(components, 'BODY')?.['add_security_recommendation'] === true;
  return `*${word}* is your verification code.${advice ? ' For your security, do not share this code.' : ''}`;
}

function footerOf(footer: TemplateComponent | undefined): string | null {
  if (typeof footer?.['text'] === 'string') return footer['text'];
  const minutes = footer?.['code_expiration_minutes'];
  if (typeof minutes !== 'number') return null;
  return `This code expires in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
}

function offerOf(component: TemplateComponent | undefined, given: Json | undefined): TemplatePreview['offer'] {
  if (!component) return null;
  const text = asRecord(component['limited_time_offer'])['text'];
  const parameter = asRecord(asList(given?.['parameters'])[0]);
  const time = asRecord(parameter['limited_time_offer'])['expiration_time_ms'];
  return { text: typeof text === 'string' ? text : '', expires_at: typeof time === 'number' ? time : null };
}

function stringOr(value: unknown, other: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof other === 'string' ? other : null;
}

function plainText({ header, offer, body, footer, buttons, cards }: Omit<TemplatePreview, 'text'>): string {
  const parts = [headerText(header), offer?.text ?? null, body, footer, buttonTexts(buttons)];
  for (const card of cards)
    parts.push([headerText(card.header), card.body, buttonTexts(card.buttons)].filter(isText).join('\n'));
  return parts.filter(isText).join('\n\n');
}

function headerText(header: PreviewHeader | null): string | null {
  if (header === null) return null;
  return header.text ?? `[${header.format.toLowerCase()}]`;
}

function buttonTexts(buttons: readonly PreviewButton[]): string {
  return buttons
    .map(({ text, url, phone_number, code }) => {
      const target = url ?? phone_number ?? code;
      return target === null ? `[${text}]` : `[${text}] ${target}`;
    })
    .join('\n');
}

function isText(part: string | null): part is string {
  return part !== null && part !== '';
}

/**
 * The components of a send that gives values by name: of a NAMED template by its names, of a POSITIONAL one `1`, `2`, … for the
 * body; `header.NAME` for the header alone, and `button.INDEX` for what a button takes.
 */
export function componentsOfValues(
  components: readonly TemplateComponent[],
  values: Readonly<Record<string, string | number>>,
): object[] {
  const valueOf = (name: string) => (Object.hasOwn(values, name) ? String(values[name]) : undefined);
  const textOf = (type: 'header' | 'body') => {
    const text = partOf(components, type.toUpperCase())?.['text'];
    if (typeof text !== 'string') return [];
    const parameters = variablesOf(text).map((name) => {
      const shared = type === 'body' || !/^\d+$/.test(name) ? valueOf(name) : undefined;
      const value = valueOf(`${type}.${name}`) ?? shared;
      return value === undefined ? { parameter_name: name } : { type: 'text', parameter_name: name, text: value };
    });
    return [{ type, parameters }];
  };
  const buttons = asList(partOf(components, 'BUTTONS')?.['buttons']).flatMap((_, index) => {
    const value = valueOf(`button.${index}`);
    return value === undefined ? [] : [{ type: 'button', index, parameters: [{ text: value, coupon_code: value }] }];
  });
  return [...textOf('header'), ...textOf('body'), ...buttons];
}

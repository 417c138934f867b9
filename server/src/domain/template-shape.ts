import type { ParameterFormat, TemplateCategory, TemplateComponent } from './template-definition.ts';

/**
 * What a template asks of whoever sends it: which variables its texts have, what file its header is, which of its buttons take
 * something. Read from components as WhatsApp gives them back (Meta: templates/components), with care: a part that is not
 * known here asks for nothing, for only WhatsApp can say what it takes.
 */
export interface TemplateShape {
  header: HeaderShape | null;
  body: TextShape;
  buttons: readonly ButtonShape[];
  /** null: it is no limited-time offer. */
  offer: { expires: boolean } | null;
  /** null: it is no carousel. */
  cards: readonly CardShape[] | null;
  /** It has a body and nothing else: then its values may be long. */
  bodyAlone: boolean;
}

export type HeaderShape = ({ format: 'TEXT' } & TextShape) | { format: FileFormat | 'LOCATION' | 'OTHER' };
export type FileFormat = 'IMAGE' | 'VIDEO' | 'DOCUMENT';

export interface TextShape {
  /** Names of the variables in their order: of positional ones their numbers, rising. */
  variables: readonly string[];
}

/** What a button takes: `needs` has to be given, `may` can be. Both null: nothing. */
export interface ButtonShape {
  type: string;
  /** How the sender calls it: `url`, `quick_reply`, … */
  subType: string;
  needs: 'text' | 'coupon_code' | 'action' | null;
  may: 'payload' | 'action' | null;
}

export interface CardShape {
  header: HeaderShape | null;
  body: TextShape;
  buttons: readonly ButtonShape[];
}

/** A variable in a text. */
const VARIABLE = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** The variables of a text, each once: numbers rising, names in the order they come. */
export function variablesOf(text: string): string[] {
  const names = [...new Set(Array.from(text.matchAll(VARIABLE), ([, name]) => name ?? ''))];
  return names.every((name) => /^\d+$/.test(name)) ? names.sort((a, b) => Number(a) - Number(b)) : names;
}

/** Puts values in the places of variables; one without a value stays as it is. */
export function fillVariables(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(VARIABLE, (whole, name: string) => valueOf(name) ?? whole);
}

/** What a template asks for. Never throws, whatever the components are. */
export function shapeOf(category: TemplateCategory, components: readonly TemplateComponent[]): TemplateShape {
  const body = partOf(components, 'BODY');
  const offer = partOf(components, 'LIMITED_TIME_OFFER');
  const carousel = partOf(components, 'CAROUSEL');
  return {
    ...cardShape(components),
    // WhatsApp words the body of a code itself: it is not always given back, and its one variable is the code.
    body: category === 'authentication' && typeof body?.['text'] !== 'string' ? { variables: ['1'] } : textShape(body),
    offer: offer ? { expires: asRecord(offer['limited_time_offer'])['has_expiration'] === true } : null,
    cards: carousel ? asList(carousel['cards']).map((card) => cardShape(componentsOf(asRecord(card)))) : null,
    bodyAlone: components.every((component) => typeOf(component) === 'BODY'),
  };
}

function cardShape(components: readonly TemplateComponent[]): CardShape {
  const header = partOf(components, 'HEADER');
  const buttons = partOf(components, 'BUTTONS');
  return {
    header: header ? headerShape(header) : null,
    body: textShape(partOf(components, 'BODY')),
    buttons: buttons ? asList(buttons['buttons']).map((button) => buttonShape(asRecord(button))) : [],
  };
}

function headerShape(header: TemplateComponent): HeaderShape {
  const format = formatOf(header);
  switch (format) {
    case 'TEXT':
      return { format, ...textShape(header) };
    case 'IMAGE':
    case 'VIDEO':
    case 'DOCUMENT':
    case 'LOCATION':
      return { format };
    default:
      return { format: 'OTHER' };
  }
}

function textShape(component: TemplateComponent | undefined): TextShape {
  const text = component?.['text'];
  return { variables: typeof text === 'string' ? variablesOf(text) : [] };
}

function buttonShape(button: Readonly<Record<string, unknown>>): ButtonShape {
  const type = typeOf(button);
  const url = button['url'];
  switch (type) {
    case 'URL':
      return {
        type,
        subType: 'url',
        needs: typeof url === 'string' && variablesOf(url).length > 0 ? 'text' : null,
        may: null,
      };
    // A code to be copied or filled in is sent as if its button were a link.
    case 'OTP':
      return { type, subType: 'url', needs: 'text', may: null };
    case 'QUICK_REPLY':
      return { type, subType: 'quick_reply', needs: null, may: 'payload' };
    case 'COPY_CODE':
      return { type, subType: 'copy_code', needs: 'coupon_code', may: null };
    case 'FLOW':
      return { type, subType: 'flow', needs: null, may: 'action' };
    case 'CATALOG':
      return { type, subType: 'catalog', needs: null, may: 'action' };
    case 'MPM':
      return { type, subType: 'mpm', needs: 'action', may: null };
    default:
      return { type, subType: type.toLowerCase(), needs: null, may: null };
  }
}

/** The type of a component or button, in capitals. */
export function typeOf(part: Readonly<Record<string, unknown>>): string {
  return wordOf(part['type']);
}

/** The format of a header, in capitals: TEXT unless it says otherwise. */
export function formatOf(header: TemplateComponent): string {
  return header['format'] === undefined ? 'TEXT' : wordOf(header['format']);
}

/** A word of WhatsApp's in capitals; what is none is empty. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' ? value.toUpperCase() : '';
}

/** The first component of a type. */
export function partOf(components: readonly TemplateComponent[], type: string): TemplateComponent | undefined {
  return components.find((component) => typeOf(component) === type);
}

/** The components of a card, or of whatever has some. */
export function componentsOf(holder: Readonly<Record<string, unknown>>): TemplateComponent[] {
  return asList(holder['components']).map(asRecord);
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Whether variables are written as a template's format says. */
export function isVariableName(name: string, format: ParameterFormat): boolean {
  return format === 'POSITIONAL' ? /^[1-9]\d{0,2}$/.test(name) : /^[a-z][a-z0-9_]{0,59}$/.test(name);
}

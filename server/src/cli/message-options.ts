import { type Command, InvalidArgumentError, Option } from 'commander';
import { CATEGORIES, OUTBOUND_TYPES, PRIORITIES } from '../domain/message.ts';
import { parseTime } from '../domain/times.ts';
import { fillIn } from '../domain/variables.ts';
import { isObject, type JsonObject } from './answers.ts';
import { type ContentOptions, contentParts, isMoreThanText, present, withContentOptions } from './content-options.ts';
import { usageError } from './exit-codes.ts';
import { numberBetween } from './parse-number.ts';

/** The options that say what a message is, the same for one (`send`) and for many (`import`). */
export interface MessageOptions extends ContentOptions {
  var?: ReadonlyMap<string, string>;
  template?: string;
  language?: string;
  params?: string[];
  named?: boolean;
  button?: ReadonlyMap<string, string>;
  components?: unknown[];
  fallbackTemplate?: string;
  fallbackLanguage?: string;
  fallbackParams?: string[];
  type?: string;
  sender?: string;
  at?: string;
  expires?: string;
  ttl?: number;
  priority?: string;
  category?: string;
}

/** What is to be said, with `{name}` where a value of each addressee goes. Made by `messageShape`. */
export interface MessageShape {
  /** Filled in by the server, so that what is stored says what was meant. */
  text: string | null;
  template: ShapedTemplate | null;
  /** What goes instead when the customer's window is closed. */
  fallback: ShapedTemplate | null;
  /** Everything else of the body, the same for each addressee. */
  rest: JsonObject;
  /** What `content` has beside the text. */
  content: JsonObject;
  /** A file of this machine that is uploaded first: its id stands in the content then. */
  file: string | null;
  /** The names that the text uses, or the text of what can be tapped. */
  textNames: readonly string[];
  /** The names that the components of the templates use. They are filled in here: the provider takes finished values. */
  componentNames: readonly string[];
}

interface ShapedTemplate {
  name: string;
  language: string;
  components: readonly unknown[];
}

/** A finished request body, or the names that had no value. */
export type Composed = { kind: 'body'; body: JsonObject } | { kind: 'missing'; names: string[] };

/** Adds the options that say what a message is. */
export function withMessageOptions(command: Command): Command {
  command.option('--var <NAME=VALUE>', 'a value for {NAME}; may be repeated', collectVariable);
  return withContentOptions(command)
    .option('--template <NAME>', 'send this approved template')
    .option('--language <CODE>', 'the language of the template, such as en or pt_BR (default: en)')
    .option('--params <NAMES>', 'values for {{1}}, {{2}}, … of the template body, by name: name,order', commaList)
    .option('--named', "the template's variables have names, those of --params: {{name}}")
    .option(
      '--button <PLACE=TEXT>',
      "what the template's button at this place, from 0, adds to its URL, or its code: 0={code}; may be repeated",
      collectButton,
    )
    .option(
      '--components <JSON>',
      "the template's components as WhatsApp takes them, with {NAME} for values",
      jsonArray,
    )
    .option(
      '--fallback-template <NAME>',
      'send this template instead when the customer last wrote over 24 hours ago, and WhatsApp takes nothing else',
    )
    .option('--fallback-language <CODE>', 'its language (default: en)')
    .option('--fallback-params <NAMES>', 'values for {{1}}, {{2}}, … of its body, by name', commaList)
    .addOption(
      new Option('--type <TYPE>', 'the type, when the address of the media does not tell').choices(OUTBOUND_TYPES),
    )
    .option('--sender <ID>', "the number to send from (default: the tenant's)")
    .option('--at <TIME>', 'send then: ISO 8601 with a zone, 2026-12-01T09:00:00+07:00', timeOption)
    .option('--expires <TIME>', 'do not send after this time: ISO 8601 with a zone', timeOption)
    .option(
      '--ttl <SECONDS>',
      'instead: do not send later than so many seconds after it may leave',
      numberBetween(1, 31_622_400, true),
    )
    .addOption(new Option('--priority <LEVEL>', 'which message leaves first').choices(Object.keys(PRIORITIES)))
    .addOption(new Option('--category <NAME>', 'what kind of message it is').choices(CATEGORIES));
}

/**
 * Checks that the options make a message.
 * @throws {CliError} `usage` when they do not, or contradict each other
 */
export function messageShape(text: string | null, options: MessageOptions): MessageShape {
  const { template, params, components } = options;
  const parts = contentParts(options);
  const hasContent = isMoreThanText(parts);
  if (text === null && template === undefined && !hasContent) {
    throw usageError('nothing to send: give a text, a template, or what else a message may be; see --help');
  }
  if (template === undefined && (params || components || options.button || options.language)) {
    throw usageError('--language, --params, --button and --components belong to --template');
  }
  if (template !== undefined && hasContent) {
    throw usageError('a template brings its own media: give it in --components, not beside it');
  }
  if (components && (params || options.button)) {
    throw usageError('--components is all of it: give it, or --params and --button');
  }
  if (options.ttl !== undefined && options.expires !== undefined) throw usageError('give --ttl or --expires, not both');
  const { fallbackTemplate: fallback, fallbackLanguage, fallbackParams } = options;
  if (fallback === undefined && (fallbackLanguage || fallbackParams)) {
    throw usageError('--fallback-language and --fallback-params belong to --fallback-template');
  }
  if (options.named && !params && !fallbackParams) throw usageError('--named belongs to --params');
  if (fallback !== undefined && template !== undefined) throw usageError('a template needs no --fallback-template');
  const { named = false } = options;
  const filled = components ?? [...bodyComponents(params, named), ...buttonComponents(options.button)];
  const filledInstead = bodyComponents(fallbackParams, named);
  return {
    text,
    template:
      template === undefined ? null : { name: template, language: options.language ?? 'en', components: filled },
    fallback:
      fallback === undefined ? null : { name: fallback, language: fallbackLanguage ?? 'en', components: filledInstead },
    rest: present({
      type: options.type ?? parts.type ?? undefined,
      sender_id: options.sender,
      scheduled_at: options.at,
      expires_at: options.expires,
      ttl: options.ttl,
      priority: options.priority,
      category: options.category,
    }),
    content: parts.content,
    file: parts.file,
    textNames: [...(text === null ? [] : namesIn(text)), ...parts.names],
    componentNames: namesIn(JSON.stringify([filled, filledInstead])),
  };
}

/** The body for one addressee. `value` gives the value of a name, or undefined when there is none. */
export function composeBody(
  shape: MessageShape,
  to: string,
  value: (name: string) => string | undefined,
  metadata?: JsonObject,
): Composed {
  const values = (names: readonly string[]): Record<string, string> => {
    const known = names.map((name) => [name, value(name)] as const);
    return Object.fromEntries(known.filter((entry): entry is [string, string] => entry[1] !== undefined));
  };
  const parameters = values(shape.componentNames);
  const missing = shape.componentNames.filter((name) => !Object.hasOwn(parameters, name));
  if (missing.length > 0) return { kind: 'missing', names: missing };
  const body: Record<string, unknown> = { to, ...shape.rest };
  if (shape.text !== null) body.content = { text: shape.text, ...shape.content };
  else if (Object.keys(shape.content).length > 0) body.content = shape.content;
  if (shape.template) body.template = filledTemplate(shape.template, parameters);
  if (shape.fallback) body.fallback_template = filledTemplate(shape.fallback, parameters);
  const variables = values(shape.textNames);
  if (Object.keys(variables).length > 0) body.variables = variables;
  if (metadata) body.metadata = metadata;
  return { kind: 'body', body };
}

function filledTemplate(
  { name, language, components }: ShapedTemplate,
  parameters: Record<string, string>,
): JsonObject {
  return components.length === 0 ? { name, language } : { name, language, components: fill(components, parameters) };
}

/** The same JSON with each `{name}` in its strings replaced. */
function fill(value: unknown, parameters: Record<string, string>): unknown {
  if (typeof value === 'string') return fillIn(value, parameters).text;
  if (Array.isArray(value)) return value.map((item) => fill(item, parameters));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, parameters)]));
}

function bodyComponents(names: readonly string[] | undefined, named: boolean): unknown[] {
  if (names === undefined) return [];
  const parameters = names.map((name) => ({
    type: 'text',
    ...(named && { parameter_name: name }),
    text: `{${name}}`,
  }));
  return [{ type: 'body', parameters }];
}

/** Buttons with a URL, and those with a code, which WhatsApp takes as if it were one. */
function buttonComponents(buttons: ReadonlyMap<string, string> = new Map()): unknown[] {
  return [...buttons].map(([index, text]) => ({
    type: 'button',
    sub_type: 'url',
    index,
    parameters: [{ type: 'text', text }],
  }));
}

function collectButton(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, place, value] = /^(\d)=(.+)$/su.exec(text) ?? [];
  if (place === undefined || value === undefined) throw new InvalidArgumentError('Write it like 0={code}.');
  return new Map([...before, [place, value]]);
}

/** The names in braces, as the server finds them: each once. */
function namesIn(text: string): string[] {
  return fillIn(text, {}).missing;
}

function collectVariable(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0));
  if (!isName(name)) throw new InvalidArgumentError('Write it like name=Ana.');
  return new Map([...before, [name, text.slice(equals + 1)]]);
}

function commaList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (!names.every(isName)) throw new InvalidArgumentError('Write names with commas between them: name,order.');
  return names;
}

function isName(text: string): boolean {
  return fillIn(`{${text}}`, { [text]: '' }).text === '';
}

function jsonArray(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Said below: what is no JSON is no array either.
  }
  throw new InvalidArgumentError('Write a JSON array: [{"type":"body","parameters":[…]}].');
}

/** An option's parser for a moment. @returns it as the API writes it: in UTC, with milliseconds */
export function timeOption(text: string): string {
  const time = parseTime(text);
  if (time === null) throw new InvalidArgumentError('Write it with a zone: 2026-12-01T09:00:00+07:00.');
  return new Date(time).toISOString();
}

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { isUuid } from '../domain/ids.ts';
import { isMediaUrl } from '../domain/media.ts';
import { MEDIA_TYPES, type MediaType } from '../domain/message.ts';
import { fillIn } from '../domain/variables.ts';
import { clientSettings } from '../runtime/client-settings.ts';
import { isObject, type JsonObject } from './answers.ts';
import { usageError } from './exit-codes.ts';

/** The options that say what a message has beside its text: a file, a place, cards, a reaction, something to tap. */
export interface ContentOptions extends Partial<Record<MediaType, string>> {
  media?: string;
  filename?: string;
  voice?: boolean;
  preview?: boolean;
  location?: { latitude: number; longitude: number };
  locationName?: string;
  locationAddress?: string;
  contactJson?: unknown[];
  reaction?: string;
  replyTo?: string;
  interactive?: JsonObject;
}

/** What they make: parts of `content`, its type if that has to be said, and a file of this machine that is to be uploaded first. */
export interface ContentParts {
  type: string | null;
  content: JsonObject;
  file: string | null;
  /** The names in braces that the server fills in beside those of the text. */
  names: readonly string[];
}

/** Adds the options. */
export function withContentOptions(command: Command): Command {
  command
    .option(
      '--media <URL>',
      'send the image, video, audio or document at this address; the text becomes its caption',
      mediaUrl,
    )
    .option('--image <FILE>', 'send an image: a file, an address or the id of a stored file; likewise')
    .option('--video <FILE>', '  a video')
    .option('--audio <FILE>', '  an audio')
    .option('--document <FILE>', '  a document')
    .option('--sticker <FILE>', '  a sticker')
    .option('--filename <NAME>', 'the file name that a document is shown with')
    .option('--voice', 'show the audio as a voice message (OGG with Opus)')
    .option('--preview', 'show what the first link of the text leads to')
    .option('--location <LAT,LONG>', 'send a place, in degrees: -6.1754,106.8272', degrees)
    .option('--location-name <NAME>', 'what the place is called')
    .option('--location-address <TEXT>', 'its address')
    .option(
      '--contact-json <JSON>',
      'send cards of people as WhatsApp takes them, one or an array; @FILE reads a file',
      cards,
    )
    .option(
      '--interactive <JSON>',
      'send buttons, a list and so on as WhatsApp takes them; @FILE reads a file',
      jsonObject,
    );
  return command;
}

/** Adds the option that only one message can have. */
export function withReaction(command: Command): Command {
  return command.option(
    '--reaction <EMOJI>',
    'react to the message that --reply-to names; an empty one takes the reaction back',
  );
}

/**
 * Checks that the options make one thing.
 * @throws {CliError} `usage` when they contradict each other.
 */
export function contentParts(options: ContentOptions): ContentParts {
  const files = MEDIA_TYPES.filter((type) => options[type] !== undefined);
  const { media, location, contactJson, reaction, interactive } = options;
  const things = [...files, media, location, contactJson, reaction, interactive].filter((thing) => thing !== undefined);
  if (things.length > 1)
    throw usageError('a message is one thing: give one file, place, card, reaction or interactive part');
  if (options.voice && options.audio === undefined) throw usageError('--voice belongs to --audio');
  if (location === undefined && (options.locationName ?? options.locationAddress) !== undefined) {
    throw usageError('--location-name and --location-address belong to --location');
  }
  const parts: ContentParts = { type: null, content: {}, file: null, names: [] };
  const [type] = files;
  if (type !== undefined) return withFile(type, options[type] as string, options);
  if (media !== undefined) return { ...parts, content: present({ media_url: media, filename: options.filename }) };
  if (options.filename !== undefined) throw usageError('--filename belongs to --document or --media');
  if (location !== undefined) {
    const named = present({ name: options.locationName, address: options.locationAddress });
    return { ...parts, content: { location: { ...location, ...named } } };
  }
  if (contactJson !== undefined) return { ...parts, content: { contacts: contactJson } };
  if (interactive !== undefined) return { ...parts, content: { interactive }, names: namesInBody(interactive) };
  if (reaction !== undefined) {
    if (options.replyTo === undefined) throw usageError('--reaction needs --reply-to: the message that it is to');
    return { ...parts, content: { reaction: { message_id: options.replyTo, emoji: reaction } } };
  }
  return { ...parts, content: present({ preview_url: options.preview }) };
}

function withFile(type: MediaType, named: string, { filename, voice }: ContentOptions): ContentParts {
  const rest = present({ filename, voice });
  const parts = { type, file: null, names: [] };
  if (isMediaUrl(named)) return { ...parts, content: { media_url: named, ...rest } };
  if (isUuid(named)) return { ...parts, content: { media_id: named, ...rest } };
  return { ...parts, file: named, content: rest };
}

function namesInBody({ body }: JsonObject): string[] {
  const { text } = isObject(body) ? body : {};
  return typeof text === 'string' ? fillIn(text, {}).missing : [];
}

/** Whether there is more than a text. */
export function isMoreThanText({ content, file }: ContentParts): boolean {
  return file !== null || Object.keys(content).some((name) => name !== 'preview_url');
}

/** What is there of these. */
export function present(from: Record<string, unknown>): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined));
}

function mediaUrl(text: string): string {
  if (!isMediaUrl(text)) throw new InvalidArgumentError('Write an address that begins with https://.');
  return text;
}

function degrees(text: string): { latitude: number; longitude: number } {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [latitude = Number.NaN, longitude = Number.NaN] = parts;
  if (parts.length !== 2 || !(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw new InvalidArgumentError('Write latitude and longitude in degrees: -6.1754,106.8272.');
  }
  return { latitude, longitude };
}

function cards(text: string): unknown[] {
  const value = jsonValue(text);
  if (Array.isArray(value)) return value;
  if (isObject(value)) return [value];
  throw new InvalidArgumentError('Write a card: {"name":{"formatted_name":"Ana B","first_name":"Ana"},"phones":[…]}.');
}

function jsonObject(text: string): JsonObject {
  const value = jsonValue(text);
  if (isObject(value)) return value;
  throw new InvalidArgumentError('Write an object: {"type":"button","body":{"text":"…"},"action":{…}}.');
}

/** JSON as it is given, or with @ that of a file. Undefined: it is none. */
function jsonValue(text: string): unknown {
  const json = text.startsWith('@') ? readJsonFile(text.slice(1)) : text;
  try {
    const value: unknown = JSON.parse(json);
    return value;
  } catch {
    return undefined;
  }
}

function readJsonFile(path: string): string {
  let why: unknown;
  try {
    return readFileSync(resolve(clientSettings().argumentFolder, path), 'utf8');
  } catch (error) {
    why = error;
  }
  throw new InvalidArgumentError(`${path} cannot be read: ${why instanceof Error ? why.message : String(why)}.`);
}

import { AldisError, type ErrorCode } from '../domain/errors.ts';
import { didYouMean } from '../runtime/near-names.ts';
import { PATTERN_WORDS } from './patterns.ts';

/** What the validator says of the first thing that is wrong. A part of ajv's ErrorObject, with `verbose`. */
export interface Flaw {
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
  message?: string;
  /** The value that is wrong. Never repeated to anybody: it may be a customer's message. */
  data?: unknown;
  parentSchema?: { properties?: Record<string, unknown> };
}

/** Flaws that have a code of their own: by the name of the field and the rule it breaks. */
const SPECIAL: Readonly<Record<string, { code: ErrorCode; text?: string }>> = {
  'type enum': { code: 'unsupported_type', text: 'The type must be one of' },
  'message_type enum': { code: 'unsupported_type', text: 'The message_type must be one of' },
  'limit maximum': { code: 'limit_too_large' },
  'messages maxItems': { code: 'too_many_items' },
  'content.media_url maxLength': { code: 'invalid_media_url' },
  'url maxLength': { code: 'invalid_media_url' },
};

/** From the validator's words to ours. `part` is what was validated: `body`, `querystring`. */
export function validationError(flaw: Flaw, part: string): AldisError {
  const where = fieldPath(flaw.instancePath);
  if (flaw.keyword === 'additionalProperties') {
    const name = cut(String(flaw.params['additionalProperty']));
    const known = Object.keys(flaw.parentSchema?.properties ?? {});
    const field = join(where, name);
    const told = `${field} is not a field of this request${didYouMean(name, known)}`;
    return new AldisError('unknown_field', told.endsWith('?') ? told : `${told}.`, { field });
  }
  if (flaw.keyword === 'required') {
    const field = join(where, String(flaw.params['missingProperty']));
    return new AldisError('missing_field', `${field} is required.`, { field });
  }
  const field = where || part;
  const special = SPECIAL[`${field} ${flaw.keyword}`];
  const allowed = flaw.params['allowedValues'];
  const words = Array.isArray(allowed) ? ` ${allowed.join(', ')}` : '';
  if (special) {
    const limit = flaw.params['limit'];
    const text = special.text === undefined ? undefined : `${special.text}${words}.`;
    return new AldisError(special.code, text, { field, ...(limit === undefined ? {} : { details: { limit } }) });
  }
  return new AldisError('invalid_field', `${field} ${sentence(flaw, words)}.`, { field });
}

function sentence({ keyword, params, message, data }: Flaw, words: string): string {
  switch (keyword) {
    case 'type':
      if (params['type'] === 'integer' && Number.isFinite(data)) return 'must be a whole number';
      return `must be ${typeNames(params['type'])}, not ${nameOf(data)}`;
    case 'enum':
      return `must be one of${words}`;
    case 'pattern':
      return PATTERN_WORDS[String(params['pattern'])] ?? message ?? 'cannot be accepted';
    case 'minProperties':
      return 'must have at least one field';
    case 'format':
      return 'must be an ISO 8601 time with a zone, like 2026-12-01T15:00:00Z';
    default:
      return message ?? 'cannot be accepted';
  }
}

function typeNames(type: unknown): string {
  const names: unknown[] = Array.isArray(type) ? type : [type];
  return names.map((name) => `${/^[aeio]/.test(String(name)) ? 'an' : 'a'} ${String(name)}`).join(' or ');
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value === undefined) return 'nothing';
  // JSON can write numbers that a double cannot hold: 1e999.
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return 'one that is too large';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** From a JSON pointer to a path: `/messages/0/to` is `messages[0].to`. */
function fieldPath(pointer: string): string {
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path = /^\d+$/.test(name) ? `${path}[${name}]` : join(path, name);
  }
  return cut(path);
}

/** Of a name that a user wrote, what is told back: enough to find it, however long it is. */
const LONGEST_NAME = 200;

function cut(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

import { type Command, InvalidArgumentError } from 'commander';
import { DIALECTS } from '../access/principal.ts';
import { SCOPES } from '../domain/api-key.ts';
import { parseTime, TIME_FORMAT } from '../domain/times.ts';
import { type JsonObject, optionalString } from './answers.ts';
import { recordCommand } from './record-command.ts';
import type { RecordField } from './record-fields.ts';

const EXAMPLES = `
Examples:
  aldis key create "shop server" --tenant shop-1
  aldis key create "reader" --scopes messages:read,events:read --expires-at 2027-01-01T00:00:00Z
  aldis key create "old client" --dialect queue
  aldis key list --tenant shop-1
  aldis key revoke KEY_ID --tenant shop-1          refused at once, on other instances within 5 s`;

const FIELDS: readonly RecordField[] = [
  {
    name: 'scopes',
    value: 'SCOPES',
    about: `what it may, with commas between: ${SCOPES.join(',')} (default: messages:write,messages:read,events:read)`,
    parse: (text) => text.split(',').map((scope) => oneOf(SCOPES, scope)),
  },
  {
    name: 'dialect',
    value: 'NAME',
    about: `how its holder speaks: ${DIALECTS.join(' or ')}`,
    parse: (text) => oneOf(DIALECTS, text),
  },
  {
    name: 'expires_at',
    value: 'TIME',
    about: 'refused from then on: ISO 8601 with a zone',
    orNone: true,
    parse: expiry,
  },
];

/** `aldis key`: who may ask, and for what. */
export function keyCommand(): Command {
  return recordCommand({
    noun: 'key',
    path: '/api/v1/api-keys',
    plural: 'api_keys',
    ofTenant: true,
    summary: 'list, make, change and revoke API keys',
    examples: EXAMPLES,
    create: FIELDS,
    change: FIELDS,
    end: { verb: 'revoke', summary: 'revoke a key for good' },
    line,
    madeNote: 'The key is shown this once: only its hash is kept.',
  });
}

function line(key: JsonObject): string {
  const revoked = optionalString(key, 'revoked_at');
  const expires = optionalString(key, 'expires_at');
  const { scopes } = key;
  return [
    optionalString(key, 'id'),
    optionalString(key, 'name'),
    Array.isArray(scopes) ? scopes.join(',') : '',
    `last used ${optionalString(key, 'last_used_at') ?? 'never'}`,
    ...(revoked === null ? [] : [`revoked ${revoked}`]),
    ...(expires === null ? [] : [`expires ${expires}`]),
  ].join('  ');
}

function oneOf<const W extends string>(words: readonly W[], text: string): W {
  const found = words.find((word) => word === text.trim());
  if (found === undefined) throw new InvalidArgumentError(`Write ${words.join(', ')}.`);
  return found;
}

function expiry(text: string): string {
  const time = parseTime(text);
  if (time === null) throw new InvalidArgumentError(`Write ${TIME_FORMAT}.`);
  return new Date(time).toISOString();
}

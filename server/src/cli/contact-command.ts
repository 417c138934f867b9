import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CONSENT_SCOPES, CONSENT_STATES } from '../domain/consent.ts';
import { addressKind } from '../domain/phone.ts';
import { readAddress } from './address.ts';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { argumentPath } from './argument-path.ts';
import type { Client } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { createOutput, type Output } from './output.ts';
import { showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis contact list --name ana --attribute city:Jakarta
  aldis contact show +6281234567890
  aldis contact set +6281234567890 --name "Ana" --attribute city=Jakarta --attribute old=none
  aldis contact consent +6281234567890 --state out                    no marketing messages any more
  aldis contact consent @opted-out.txt --state out --scope all        a number or user id a line
  aldis contact history +6281234567890
  aldis contact block +6281234567890
  aldis contact blocked --sender SENDER_ID

A contact is named by its own or external id, or by its number or business-scoped user id.`;

const WHO = 'id, external id, number or user id';

interface Filter extends ServerOptions {
  name?: string;
  marketingConsent?: string;
  contactConsent?: string;
  attribute?: string;
  limit: number;
}

interface Change extends ServerOptions {
  name?: string;
  language?: string;
  externalId?: string;
  attribute: Record<string, string | null>;
}

interface Said extends ServerOptions {
  scope: string;
  state: string;
  detail?: string;
}

/** `aldis contact`: whom there is to talk to, and who wants to be written to. */
export function contactCommand(): Command {
  const command = new Command('contact')
    .summary('list, show and change contacts, their consent, and whom senders block')
    .description('List, show and change contacts; keep what they say of being written to; block them.')
    .addHelpText(
      'after',
      `${EXAMPLES}\n\nExit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server, 5 a list was partly refused.`,
    );
  const leaf = (name: string, summary: string) => {
    const description = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
    const made = withServerOptions(new Command(name).summary(summary).description(description));
    command.addCommand(made);
    return made;
  };

  leaf('list', 'list contacts, the newest first')
    .option('--name <TEXT>', 'what their name begins with')
    .addOption(new Option('--marketing-consent <STATE>', 'what they said of marketing').choices([...CONSENT_STATES]))
    .addOption(new Option('--contact-consent <STATE>', 'what they said of all messages').choices([...CONSENT_STATES]))
    .option('--attribute <NAME:VALUE>', 'an attribute that is exactly so')
    .option('--limit <N>', 'the most that are listed', positive, 100)
    .action((options: Filter) => run(options, (client, output) => list(client, options, output)));

  leaf('show', 'show a contact')
    .argument('<who>', WHO)
    .action((who: string, options: ServerOptions) =>
      run(options, async (client, output) => showRecord(await find(client, who), output)),
    );

  leaf('set', 'change a contact, or make the one of a number or user id that is not there')
    .argument('<who>', WHO)
    .option('--name <NAME>', 'what you call him; none takes it away')
    .option('--language <TAG>', 'like id or pt-BR; none takes it away')
    .option('--external-id <ID>', 'your own id of him; none takes it away')
    .option('--attribute <NAME=VALUE>', 'may stand several times; none takes it away', attribute, {})
    .action((who: string, options: Change) => run(options, (client, output) => set(client, who, options, output)));

  leaf('consent', 'keep what a contact, or each of a list, said of being written to')
    .argument('<who>', `${WHO}; or @FILE with a number or user id a line`)
    .addOption(
      new Option('--state <STATE>', 'in: agrees; out: refuses').choices([...CONSENT_STATES]).makeOptionMandatory(),
    )
    .addOption(new Option('--scope <SCOPE>', 'of which messages').choices([...CONSENT_SCOPES]).default('marketing'))
    .option('--detail <TEXT>', 'where or how he said so')
    .action((who: string, options: Said) =>
      run(options, (client, output) =>
        who.startsWith('@') ? giveList(client, who.slice(1), options, output) : give(client, who, options, output),
      ),
    );

  leaf('history', 'show what a contact said of being written to, the last 100')
    .argument('<who>', WHO)
    .action((who: string, options: ServerOptions) =>
      run(options, async (client, output) => {
        const path = `/api/v1/contacts/${await idOf(client, who)}/consents?limit=100`;
        const { rows } = page(await client.request({ method: 'GET', path }), 'consents');
        output.result(rows, rows.map((row) => line(row, ['at', 'scope', 'state', 'source', 'detail'])).join('\n'));
      }),
    );

  for (const [verb, summary] of [
    ['block', 'block a contact at a sender: he can write to it no more'],
    ['unblock', 'let a contact write to a sender again'],
  ] as const) {
    leaf(verb, summary)
      .argument('<who>', WHO)
      .option('--sender <ID>', 'own or external id (default: the one he last wrote to)')
      .action((who: string, options: ServerOptions & { sender?: string }) =>
        run(options, async (client, output) => {
          const body = JSON.stringify(options.sender === undefined ? {} : { sender_id: options.sender });
          const path = `/api/v1/contacts/${await idOf(client, who)}/${verb}`;
          showRecord(await client.request({ method: 'POST', path, body }), output);
        }),
      );
  }

  leaf('blocked', 'list whom a sender blocks')
    .requiredOption('--sender <ID>', 'own or external id')
    .action((options: ServerOptions & { sender: string }) =>
      run(options, async (client, output) => {
        const rows = await every(client, '/api/v1/blocked-users', 'blocked_users', { sender_id: options.sender });
        output.result(rows, rows.map((row) => line(row, ['contact_id', 'phone', 'name', 'detail'])).join('\n'));
      }),
    );
  return command;
}

async function run(options: ServerOptions, work: (client: Client, output: Output) => Promise<void>): Promise<void> {
  const output = createOutput(options.json ?? false);
  await work(await connect(options, output), output);
}

const PAGE = 100;

/** All pages of a list, or the first `most` of its records. */
async function every(
  client: Client,
  path: string,
  plural: string,
  query: Record<string, string>,
  most = Number.POSITIVE_INFINITY,
): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for (let cursor: string | null = ''; cursor !== null && found.length < most; ) {
    const asked = new URLSearchParams({ ...query, limit: String(Math.min(PAGE, most - found.length)) });
    if (cursor !== '') asked.set('cursor', cursor);
    const { rows, next } = page(await client.request({ method: 'GET', path: `${path}?${asked}` }), plural);
    found.push(...rows);
    cursor = next;
  }
  return found;
}

function page(answer: unknown, plural: string): { rows: JsonObject[]; next: string | null } {
  const rows = isObject(answer) ? answer[plural] : undefined;
  if (!isObject(answer) || !Array.isArray(rows)) {
    throw new CliError(EXIT.failure, 'strange_answer', `the server's answer has no ${plural}; is there an Aldis?`);
  }
  return { rows: rows.filter(isObject), next: optionalString(answer, 'next_cursor') };
}

async function list(client: Client, options: Filter, output: Output): Promise<void> {
  const { name, marketingConsent: marketing_consent, contactConsent: contact_consent, attribute, limit } = options;
  const query: Record<string, string> = {};
  for (const [key, value] of Object.entries({ name, marketing_consent, contact_consent, attribute })) {
    if (value !== undefined) query[key] = value;
  }
  const contacts = await every(client, '/api/v1/contacts', 'contacts', query, limit);
  output.result(
    contacts,
    contacts.map((one) => line(one, ['id', 'phone', 'user_id', 'name', 'external_id'])).join('\n'),
  );
}

/** The query that finds whoever is named by address; null: he is named by an id. */
function addressed(written: string): URLSearchParams | null {
  const who = plainNumber(written);
  const kind = addressKind(who);
  return kind && new URLSearchParams(kind === 'phone' ? { phone: who } : { user_id: who });
}

/** A number with its country code, as people write it (`+62 812-3456-7890`), as the API takes it; anything else as it is. */
function plainNumber(written: string): string {
  if (!/^\s*(\+|00)/.test(written)) return written;
  const address = readAddress(written, null);
  return address.kind === 'address' ? address.value : written;
}

function find(client: Client, who: string): Promise<unknown> {
  const query = addressed(who);
  const path = query === null ? encodeURIComponent(who) : `find?${query}`;
  return client.request({ method: 'GET', path: `/api/v1/contacts/${path}` });
}

/** For the path of a contact's routes. */
async function idOf(client: Client, who: string): Promise<string> {
  if (addressed(who) === null) return encodeURIComponent(who);
  const found = await find(client, who);
  const id = isObject(found) ? optionalString(found, 'id') : null;
  if (id === null) throw new CliError(EXIT.failure, 'strange_answer', "the server's answer has no id");
  return id;
}

async function set(client: Client, who: string, options: Change, output: Output): Promise<void> {
  const orNull = (text: string | undefined) => (text === 'none' ? null : text);
  const { attribute: attributes } = options;
  const change = {
    name: orNull(options.name),
    language: orNull(options.language),
    external_id: orNull(options.externalId),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
  const given = Object.values(change).some((value) => value !== undefined);
  const query = addressed(who);
  if (!given && query === null) throw usageError('say what to change: --name, --language, --external-id, --attribute');
  let id = encodeURIComponent(who);
  if (query !== null) {
    const body = JSON.stringify(Object.fromEntries(query));
    const made = await client.request({ method: 'POST', path: '/api/v1/contacts', body });
    id = (isObject(made) ? optionalString(made, 'id') : null) ?? id;
    if (!given) return showRecord(made, output);
  }
  const body = JSON.stringify(change);
  showRecord(await client.request({ method: 'PATCH', path: `/api/v1/contacts/${id}`, body }), output);
}

async function give(client: Client, who: string, said: Said, output: Output): Promise<void> {
  const { scope, state, detail } = said;
  const query = addressed(who);
  const path = query === null ? `/api/v1/contacts/${encodeURIComponent(who)}/consent` : '/api/v1/consents';
  const body = JSON.stringify({ ...(query && Object.fromEntries(query)), scope, state, detail });
  showRecord(await client.request({ method: 'POST', path, body }), output);
}

/** Of one request. */
const MOST_TOGETHER = 5000;

async function giveList(client: Client, path: string, said: Said, output: Output): Promise<void> {
  const { scope, state, detail } = said;
  const text = await readFile(argumentPath(path), 'utf8');
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim());
  const people = lines.flatMap((written, i) => (written === '' ? [] : [{ who: plainNumber(written), line: i + 1 }]));
  if (people.length === 0) throw usageError(`${path} is empty`);
  const total = { accepted: 0, refused: 0, messages_stopped: 0 };
  for (let from = 0; from < people.length; from += MOST_TOGETHER) {
    const part = people.slice(from, from + MOST_TOGETHER);
    const consents = part.map(({ who }) => {
      return { [addressKind(who) === 'bsuid' ? 'user_id' : 'phone']: who, scope, state, detail, source: 'import' };
    });
    const body = JSON.stringify({ consents });
    const answer = await client.request({ method: 'POST', path: '/api/v1/consents/batch', body });
    if (!isObject(answer)) continue;
    for (const name of ['accepted', 'refused', 'messages_stopped'] as const) total[name] += Number(answer[name]);
    for (const error of Array.isArray(answer['errors']) ? answer['errors'].filter(isObject) : []) {
      output.note(`${path}, line ${part[Number(error['index'])]?.line}: ${String(error['message'])}`);
    }
  }
  output.result(total, `${total.accepted} kept, ${total.refused} refused, ${total.messages_stopped} messages stopped`);
  if (total.refused > 0) process.exitCode = EXIT.partly;
}

/** Some facts of a record in a line; those that are not there are left out. */
function line(record: JsonObject, names: readonly string[]): string {
  return names.flatMap((name) => optionalString(record, name) ?? []).join('  ');
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number, 1 or more.');
  return Number(text);
}

function attribute(text: string, before: Record<string, string | null>): Record<string, string | null> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write NAME=VALUE.');
  const value = text.slice(at + 1);
  return { ...before, [text.slice(0, at)]: value === 'none' ? null : value };
}

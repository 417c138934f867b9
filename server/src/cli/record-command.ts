import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import type { Client } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { createOutput, type Output } from './output.ts';
import { bodyOf, type RecordField, withFields } from './record-fields.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

/** A kind of record that an operator keeps: tenants, senders, keys. All have the same commands. */
export interface RecordKind {
  /** `tenant`: the command. */
  noun: string;
  /** `/api/v1/tenants` */
  path: string;
  /** The array of a list's answer. */
  plural: string;
  /** Whether records belong to a tenant: then `--tenant` says to which. */
  ofTenant: boolean;
  summary: string;
  examples: string;
  /** Fields that a new record takes and, after `change`, those that can be changed; `name` is asked for by itself. */
  create: readonly RecordField[];
  change: readonly RecordField[];
  /** What ends a record: `delete` or `revoke`. */
  end: { verb: string; summary: string };
  /** A record of a list in one line. */
  line(record: JsonObject): string;
  /** A word to whoever made one. */
  madeNote?: string;
  /** What a new one is called by, where people choose its id: there is no name then. */
  id?: string;
}

interface RecordOptions extends ServerOptions {
  tenant?: string;
  [field: string]: unknown;
}

const PAGE = 100;
const NAME: RecordField = { name: 'name', value: 'NAME', about: 'what people call it', parse: (text) => text };

/** `aldis NOUN list|create|show|change|delete` */
export function recordCommand(kind: RecordKind): Command {
  const { noun, path, plural } = kind;
  const command = new Command(noun)
    .summary(kind.summary)
    .description(`${sentence(kind.summary)}. Asks with the operator's key.`)
    .addHelpText(
      'after',
      `${kind.examples}\n\nExit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`,
    );

  const leaf = (name: string, summary: string) => {
    const made = withServerOptions(new Command(name).summary(summary).description(`${sentence(summary)}.`));
    if (kind.ofTenant) made.option('--tenant <ID>', "the tenant, by own or external id (default: the key's own)");
    command.addCommand(made);
    return made;
  };
  const one = (id: string, options: RecordOptions) => `${path}/${encodeURIComponent(id)}${query(options)}`;

  leaf('list', `list ${plural.replace('_', ' ')}, the newest first`).action(async (options: RecordOptions) => {
    const output = createOutput(options.json ?? false);
    const records = await listAll(await open(options, output), kind, options);
    output.result(records, records.map(kind.line).join('\n'));
  });

  const key = kind.id === undefined ? { name: 'name', about: NAME.about } : { name: 'id', about: kind.id };
  withFields(leaf('create', `make ${article(noun)}`).argument(`<${key.name}>`, key.about), kind.create).action(
    async (called: string, options: RecordOptions) => {
      const output = createOutput(options.json ?? false);
      const tenant = options.tenant === undefined ? {} : { tenant_id: options.tenant };
      const body = JSON.stringify({ ...tenant, [key.name]: called, ...(await bodyOf(kind.create, options)) });
      showRecord(await (await open(options, output)).request({ method: 'POST', path, body }), output);
      if (kind.madeNote !== undefined) output.note(kind.madeNote);
    },
  );

  leaf('show', `show ${article(noun)}`)
    .argument('<id>', kind.id ?? `own${kind.noun === 'key' ? '' : ' or external'} id`)
    .action(async (id: string, options: RecordOptions) => {
      const output = createOutput(options.json ?? false);
      showRecord(await (await open(options, output)).request({ method: 'GET', path: one(id, options) }), output);
    });

  const changing = kind.id === undefined ? [NAME, ...kind.change] : kind.change;
  withFields(
    leaf('change', `change ${article(noun)}; what is not named stays`).argument('<id>', 'its id'),
    changing,
  ).action(async (id: string, options: RecordOptions) => {
    const output = createOutput(options.json ?? false);
    const changes = await bodyOf(changing, options);
    if (Object.keys(changes).length === 0) throw usageError('nothing to change: see --help for what can be');
    const body = JSON.stringify(changes);
    showRecord(await (await open(options, output)).request({ method: 'PATCH', path: one(id, options), body }), output);
  });

  leaf(kind.end.verb, kind.end.summary)
    .argument('<id>', 'its id')
    .action(async (id: string, options: RecordOptions) => {
      const output = createOutput(options.json ?? false);
      showRecord(await (await open(options, output)).request({ method: 'DELETE', path: one(id, options) }), output);
    });
  return command;
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function open(options: ServerOptions, output: Output): Promise<Client> {
  return connect(options, output, { as: 'operator' });
}

function query({ tenant }: RecordOptions): string {
  return tenant === undefined ? '' : `?${new URLSearchParams({ tenant_id: tenant })}`;
}

/** Every page of a list. */
export async function listAll(
  client: Client,
  { path, plural }: Pick<RecordKind, 'path' | 'plural'>,
  { tenant }: { tenant?: string },
): Promise<JsonObject[]> {
  const records: JsonObject[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const asked = new URLSearchParams({ limit: String(PAGE) });
    if (tenant !== undefined) asked.set('tenant_id', tenant);
    if (cursor !== '') asked.set('cursor', cursor);
    const answer = await client.request({ method: 'GET', path: `${path}?${asked}` });
    const page = isObject(answer) ? answer[plural] : undefined;
    if (!isObject(answer) || !Array.isArray(page)) {
      throw new CliError(EXIT.failure, 'strange_answer', `the server's answer has no ${plural}; is there an Aldis?`);
    }
    records.push(...page.filter(isObject));
    cursor = optionalString(answer, 'next_cursor');
  }
  return records;
}

/** A record for a person: a line a fact. */
export function showRecord(answer: unknown, output: Output): void {
  const facts = Object.entries(isObject(answer) ? answer : {}).filter(([, value]) => value !== null);
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const lines = facts.map(
    ([name, value]) => `${name.padEnd(width)}  ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  output.result(answer, lines.join('\n'));
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

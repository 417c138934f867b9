import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { EXPORT_FORMATS, EXPORT_KINDS, type ExportKind } from '../domain/export.ts';
import { clientSettings } from '../runtime/client-settings.ts';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { checkTarget, type Download, downloadExport } from './export-download.ts';
import { createProgress } from './import/progress.ts';
import { createOutput, type Output } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

interface TargetOptions extends ServerOptions {
  out: string;
  replace?: boolean;
}

interface WriteOptions extends TargetOptions {
  format: string;
  bom?: boolean;
  [filter: string]: unknown;
}

const EXAMPLES = `
Examples:
  aldis export messages --format csv --out messages.csv
  aldis export messages --format jsonl --out failed.jsonl --status failed --start-date 2026-12-01
  aldis export contacts --format csv --bom --out contacts.csv --attribute city:Jakarta
  aldis export download EXPORT_ID --out messages.csv        go on with what was interrupted
  aldis export list

The server writes the file; this command waits for it, and fetches it. A connection that fails is taken up again where it ended.
Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server, 130 stopped by Ctrl-C.`;

/** The filters of each list: the option's value and what it is. */
const FILTERS: Readonly<Record<ExportKind, Readonly<Record<string, readonly [value: string, about: string]>>>> = {
  messages: {
    sender_id: ['ID', 'of this sender, by own or external id'],
    contact_id: ['ID', 'with this contact'],
    conversation_id: ['ID', 'of this conversation'],
    batch_id: ['ID', 'of this batch'],
    direction: ['WORD', 'inbound or outbound'],
    type: ['TYPE', 'text, image and so on'],
    status: ['STATUS', 'queued, sent, delivered, read or failed'],
    error: ['WORD', 'failed, with this word in their error'],
    error_code: ['CODE', "failed, with this code of the provider's"],
    start_date: ['DATE', 'from this day or time on'],
    end_date: ['DATE', 'up to this day or time'],
  },
  contacts: {
    name: ['NAME', 'whose name begins so'],
    marketing_consent: ['WORD', 'in or out'],
    contact_consent: ['WORD', 'in or out'],
    attribute: ['NAME:VALUE', 'with this attribute'],
  },
};

/** `aldis export`: lists to files. */
export function exportCommand(): Command {
  const command = new Command('export')
    .summary('write messages or contacts to a file')
    .description('Write a list to a CSV or JSON Lines file.')
    .addHelpText('after', EXAMPLES);
  for (const kind of EXPORT_KINDS) command.addCommand(writeCommand(kind));

  const download = new Command('download').argument('<id>', 'the id of the export');
  command.addCommand(
    withTarget(download.summary('fetch the file of an export, or the rest of it')).action(
      async (id: string, options: TargetOptions) => {
        const output = createOutput(options.json ?? false);
        const target = targetOf(options, id);
        const client = await connect(options, output);
        await waitAndFetch(client, await read(client, id), target, output);
      },
    ),
  );
  command.addCommand(
    withServerOptions(new Command('list').summary('list exports, the newest first')).action(
      async (options: ServerOptions) => {
        const output = createOutput(options.json ?? false);
        const client = await connect(options, output);
        const answer = await client.request({ method: 'GET', path: '/api/v1/exports?limit=100' });
        const list = isObject(answer) && Array.isArray(answer.exports) ? answer.exports.filter(isObject) : [];
        output.result(list, list.map(line).join('\n'));
      },
    ),
  );
  for (const [verb, summary, method, suffix] of [
    ['cancel', 'stop writing an export', 'POST', '/cancel'],
    ['delete', 'delete an export that has ended, with its file', 'DELETE', ''],
  ] as const) {
    const leaf = withServerOptions(new Command(verb).summary(summary).argument('<id>', 'the id of the export'));
    command.addCommand(
      leaf.action(async (id: string, options: ServerOptions) => {
        const output = createOutput(options.json ?? false);
        const client = await connect(options, output);
        const answer = await client.request({ method, path: `${pathOf(id)}${suffix}` });
        output.result(answer, `${id} ${verb === 'cancel' ? 'is cancelled' : 'is deleted'}`);
      }),
    );
  }
  return command;
}

function writeCommand(kind: ExportKind): Command {
  const command = withTarget(new Command(kind).summary(`write ${kind} to a file`)).addOption(
    new Option('--format <FORMAT>', 'a spreadsheet, or a JSON object a line').choices(EXPORT_FORMATS).default('csv'),
  );
  command.option('--bom', 'CSV: begin with a byte order mark, by which some spreadsheets know UTF-8');
  for (const [name, [value, about]] of Object.entries(FILTERS[kind])) {
    command.option(`--${name.replaceAll('_', '-')} <${value}>`, `only those ${about}`);
  }
  return command.action(async (options: WriteOptions) => {
    const output = createOutput(options.json ?? false);
    const target = targetOf(options, '');
    const filter = Object.fromEntries(
      Object.keys(FILTERS[kind]).flatMap((name) => {
        const value = options[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
        return value === undefined ? [] : [[name, name === 'error_code' ? Number(value) : value]];
      }),
    );
    const client = await connect(options, output);
    const body = JSON.stringify({ kind, format: options.format, filter, bom: options.bom ?? false });
    const made = recordOf(await client.request({ method: 'POST', path: '/api/v1/exports', body }));
    const id = optionalString(made, 'id') ?? '';
    output.note(`export ${id}; if this is interrupted: aldis export download ${id} --out ${options.out}`);
    await waitAndFetch(client, made, { ...target, id }, output);
  });
}

function withTarget(command: Command): Command {
  return withServerOptions(command)
    .requiredOption('--out <FILE>', 'where the file is to be written')
    .option('--replace', 'replace the file if it is there');
}

function targetOf({ out, replace = false }: TargetOptions, id: string): Download {
  const target = { id, file: resolve(clientSettings().argumentFolder, out), replace };
  checkTarget(target);
  return target;
}

/** Waits until an export is complete, and fetches its file. */
async function waitAndFetch(client: Client, first: JsonObject, target: Download, output: Output): Promise<void> {
  const last = await untilComplete(client, first, target.id, output);
  const bytes = await downloadExport(client, target, output);
  const rows = numberOf(last, 'rows') ?? 0;
  output.result({ id: target.id, file: target.file, rows, bytes }, `${target.file}: ${rows} rows, ${bytes} bytes`);
}

/** @throws {CliError} when it failed or was cancelled. */
async function untilComplete(client: Client, first: JsonObject, id: string, output: Output): Promise<JsonObject> {
  const total = numberOf(first, 'total');
  const progress = createProgress('exporting', 'rows', total ?? 1, output);
  let record = first;
  try {
    for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
      const state = optionalString(record, 'state');
      const rows = numberOf(record, 'rows') ?? 0;
      progress.update(total === null ? 0 : rows, total === null ? `${rows} rows, ${state}` : `${state}`);
      if (state === 'complete') return record;
      if (state !== 'queued' && state !== 'running') {
        const why = optionalString(record, 'error') ?? '';
        throw new CliError(EXIT.failure, 'export_failed', `the export ${id} is ${state ?? 'gone'}${why && `: ${why}`}`);
      }
      await sleep(pause);
      record = await read(client, id);
    }
  } finally {
    progress.stop();
  }
}

async function read(client: Client, id: string): Promise<JsonObject> {
  return recordOf(await client.request({ method: 'GET', path: pathOf(id) }));
}

function pathOf(id: string): string {
  return `/api/v1/exports/${encodeURIComponent(id)}`;
}

function recordOf(answer: unknown): JsonObject {
  if (isObject(answer)) return answer;
  throw new CliError(EXIT.failure, 'strange_answer', "the server's answer is no export; is there an Aldis?");
}

function numberOf(record: JsonObject, name: string): number | null {
  const value = record[name];
  return typeof value === 'number' ? value : null;
}

function line(record: JsonObject): string {
  const percent = numberOf(record, 'percent');
  return [
    optionalString(record, 'id'),
    optionalString(record, 'kind'),
    optionalString(record, 'format'),
    optionalString(record, 'state'),
    percent === null ? '-' : `${percent} %`,
    `${numberOf(record, 'rows') ?? 0} rows`,
  ].join('  ');
}

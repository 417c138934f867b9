import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { createOutput, type Output } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

/** `aldis status`: what became of a message or a batch. */
export function statusCommand(): Command {
  return withServerOptions(
    new Command('status')
      .summary('show what became of a message or a batch')
      .description('Show what became of a message, with its history, or of a batch, with its counts.')
      .argument('<id>', 'the id of a message or of a batch'),
  )
    .addHelpText(
      'after',
      '\nExit codes: 0 found (whatever its state), 1 failure, 2 usage, 3 not reachable, 4 unknown id or refused.',
    )
    .action((id: string, options: ServerOptions) => status(id, options, createOutput(options.json ?? false)));
}

async function status(id: string, options: ServerOptions, output: Output): Promise<void> {
  const client = await connect(options, output);
  const found = await find(client, encodeURIComponent(id));
  output.result(found, describe(found));
}

/** The message with this id, else the batch. */
async function find(client: Client, id: string): Promise<JsonObject> {
  let answer: unknown;
  try {
    answer = await client.request({ method: 'GET', path: `/api/v1/messages/${id}` });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    answer = await client.request({ method: 'GET', path: `/api/v1/batches/${id}` }).catch((batchError: unknown) => {
      if (!isNotFound(batchError)) throw batchError;
      throw new CliError(EXIT.refused, 'not_found', 'there is no message and no batch of that id', {
        cause: batchError,
      });
    });
  }
  return isObject(answer) ? answer : {};
}

function isNotFound(error: unknown): boolean {
  return error instanceof CliError && error.code === 'not_found';
}

/** A message or a batch for a person: a line a fact, and for a message a line a step of its history. */
function describe(found: JsonObject): string {
  const { history, ...facts } = found;
  const lines: [string, string][] = [];
  for (const [name, value] of Object.entries(facts)) {
    if (value !== null && value !== undefined) lines.push([name, name === 'held' ? describeHold(value) : words(value)]);
  }
  const width = Math.max(0, ...lines.map(([name]) => name.length));
  const text = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (Array.isArray(history)) {
    text.push('history');
    for (const step of history) text.push(`  ${isObject(step) ? describeStep(step) : words(step)}`);
  }
  return text.join('\n');
}

/** Why a message waits. */
function describeHold(held: unknown): string {
  return held === 'template'
    ? 'its template is paused; it goes when WhatsApp lets the template go (aldis template list)'
    : words(held);
}

/** A step of a message's history: its time first, then what happened, then what else is known. */
function describeStep(step: JsonObject): string {
  const { at, step: what, ...rest } = step;
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${words(value)}`);
  return [at, what, ...facts]
    .filter((part) => part !== undefined && part !== null)
    .map(words)
    .join('  ');
}

/** The error of a message in one line, as list and event carry it, or null. */
export function describeError(message: JsonObject): string | null {
  if (!isObject(message.error)) return null;
  const { error } = message;
  const detail = optionalString(error, 'detail') ?? optionalString(error, 'title') ?? '';
  return [error.error, error.code, detail]
    .filter((part) => part !== undefined && part !== null && part !== '')
    .map(words)
    .join(' ');
}

function words(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

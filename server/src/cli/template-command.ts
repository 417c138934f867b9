import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { argumentPath } from './argument-path.ts';
import type { Client } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const PATH = '/api/v1/templates';
const PAGE = 100;

const EXAMPLES = `
Examples:
  aldis template list --status APPROVED
  aldis template create order_sent.json
  aldis template preview TEMPLATE_ID --var 1=Ana --var button.0=A-17
  aldis template edit TEMPLATE_ID order_sent.json
  aldis template sync --account 102290129340398

A file is JSON: {"name", "language", "category", "components", …}; - is standard input.

Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

interface TemplateOptions extends ServerOptions {
  account?: string;
  sender?: string;
  name?: string;
  language?: string;
  status?: string;
  category?: string;
  var?: Record<string, string>;
}

/** `aldis template`: the messages that WhatsApp approves beforehand. */
export function templateCommand(): Command {
  const command = new Command('template')
    .summary('list, make, edit, preview and delete message templates')
    .description('List, make, edit, preview and delete message templates.')
    .addHelpText('after', EXAMPLES);

  const leaf = (name: string, summary: string) => {
    const made = withServerOptions(new Command(name).summary(summary).description(`${sentence(summary)}.`));
    command.addCommand(made);
    return made;
  };
  const ofAccount = (made: Command) =>
    made
      .option('--account <ID>', 'the WhatsApp Business Account')
      .option('--sender <ID>', 'a sender of the account, by own or external id (default: the default sender)');

  ofAccount(leaf('list', 'list templates, the newest first'))
    .option('--name <NAME>', 'only of this name')
    .option('--language <CODE>', 'only in this language')
    .option('--status <WORD>', 'only of this status, such as APPROVED')
    .option('--category <WORD>', 'only of this category: utility, authentication, marketing')
    .action(async (options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const templates = await listAll(await connect(options, output), options);
      output.result(templates, templates.map(line).join('\n'));
    });

  leaf('show', 'show a template')
    .argument('<id>', 'its id')
    .action(async (id: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      showRecord(await (await connect(options, output)).request({ method: 'GET', path: one(id) }), output);
    });

  ofAccount(leaf('create', 'make a template and submit it to WhatsApp'))
    .argument('<file>', 'the template in JSON')
    .action(async (file: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const body = JSON.stringify({ ...accountOf(options), ...(await readTemplate(file)) });
      showRecord(await (await connect(options, output)).request({ method: 'POST', path: PATH, body }), output);
    });

  leaf('edit', 'edit a template; WhatsApp reviews it anew')
    .argument('<id>', 'its id')
    .argument('<file>', 'its components in JSON; category and message_send_ttl_seconds if they change')
    .action(async (id: string, file: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const { category, components, message_send_ttl_seconds } = await readTemplate(file);
      const body = JSON.stringify({ category, components, message_send_ttl_seconds });
      showRecord(await (await connect(options, output)).request({ method: 'PATCH', path: one(id), body }), output);
    });

  leaf('delete', 'delete a template, in this language only')
    .argument('<id>', 'its id')
    .action(async (id: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      showRecord(await (await connect(options, output)).request({ method: 'DELETE', path: one(id) }), output);
    });

  leaf('unpause', 'ask WhatsApp to end the pause of a template')
    .argument('<id>', 'its id')
    .action(async (id: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const request = { method: 'POST' as const, path: `${one(id)}/unpause`, repeatable: true };
      showRecord(await (await connect(options, output)).request(request), output);
    });

  ofAccount(leaf('sync', 'read the templates of an account from WhatsApp now')).action(
    async (options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const body = JSON.stringify(accountOf(options));
      const request = { method: 'POST' as const, path: `${PATH}/sync`, body, repeatable: true };
      showRecord(await (await connect(options, output)).request(request), output);
    },
  );

  leaf('preview', 'show what a customer will see of a template')
    .argument('<id>', 'its id')
    .option('--var <NAME=VALUE>', 'a value by name: 1, first_name, header.1, button.0; may be given again', collect)
    .action(async (id: string, options: TemplateOptions) => {
      const output = createOutput(options.json ?? false);
      const body = JSON.stringify({ variables: options.var ?? {} });
      const request = { method: 'POST' as const, path: `${one(id)}/preview`, body, repeatable: true };
      const answer = await (await connect(options, output)).request(request);
      output.result(answer, isObject(answer) ? (optionalString(answer, 'text') ?? '') : '');
    });

  return command;
}

function one(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

function accountOf({ account, sender }: TemplateOptions): JsonObject {
  return {
    ...(account !== undefined && { account_id: account }),
    ...(sender !== undefined && { sender_id: sender }),
  };
}

function collect(pair: string, before: Record<string, string> = {}): Record<string, string> {
  const at = pair.indexOf('=');
  if (at < 1) throw usageError(`--var ${pair}: write NAME=VALUE`);
  return { ...before, [pair.slice(0, at)]: pair.slice(at + 1) };
}

async function readTemplate(file: string): Promise<JsonObject> {
  const text = file === '-' ? await readStream(process.stdin) : await readFile(argumentPath(file), 'utf8');
  const where = file === '-' ? 'standard input' : file;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(`${where} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(value)) throw usageError(`${where} must be an object in JSON`);
  return value;
}

/** Every page of the list. */
async function listAll(client: Client, options: TemplateOptions): Promise<JsonObject[]> {
  const { name, language, status, category } = options;
  const asked = new URLSearchParams({ limit: String(PAGE) });
  const filters = { ...accountOf(options), name, language, status, category };
  for (const [filter, value] of Object.entries(filters)) if (typeof value === 'string') asked.set(filter, value);
  const templates: JsonObject[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    if (cursor !== '') asked.set('cursor', cursor);
    const answer = await client.request({ method: 'GET', path: `${PATH}?${asked}` });
    const page = isObject(answer) ? answer['templates'] : undefined;
    if (!isObject(answer) || !Array.isArray(page)) {
      throw new CliError(EXIT.failure, 'strange_answer', "the server's answer has no templates; is there an Aldis?");
    }
    templates.push(...page.filter(isObject));
    cursor = optionalString(answer, 'next_cursor');
  }
  return templates;
}

/** A template of a list. */
function line(template: JsonObject): string {
  const words = ['id', 'name', 'language', 'category', 'status', 'quality', 'reason'];
  return words.flatMap((word) => optionalString(template, word) ?? []).join('  ');
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

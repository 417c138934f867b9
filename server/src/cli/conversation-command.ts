import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { numberBetween } from './parse-number.ts';
import { showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis conversation create direct --as ana --with ben
  aldis conversation create customer --to +6281234567890 --with ana --with ben
  aldis conversation say ID "Hello, Ben!" --as ana
  aldis conversation say ID "Wants his money back" --as ana --note
  aldis conversation history ID --as ben --limit 20
  aldis conversation list --as ben

Without --as it is software that asks, which sees all and says nothing between users.
Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

const PATH = '/api/v1/conversations';
const parseLimit = numberBetween(1, 100, true);

interface Options extends ServerOptions {
  as?: string;
}

interface CreateOptions extends Options {
  with?: string[];
  title?: string;
  externalId?: string;
  to?: string;
  contactId?: string;
  sender?: string;
}

/** `aldis conversation`: who talks to whom, and what is said. */
export function conversationCommand(): Command {
  const command = new Command('conversation')
    .summary('list and make conversations, say something and read what was said')
    .description('Conversations between users, and of users with a customer.')
    .addHelpText('after', EXAMPLES);
  const leaf = (name: string, summary: string) => {
    const text = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
    const made = withServerOptions(new Command(name).summary(summary).description(text)).option(
      '--as <USER>',
      'the user who asks; the key needs the scope act_as',
    );
    command.addCommand(made);
    return made;
  };
  const many = (value: string, before: string[] = []) => [...before, value];

  leaf('list', "list a user's conversations, the liveliest first; without --as all of them")
    .option('--limit <N>', 'how many, at most 100', parseLimit, 50)
    .action(async (options: Options & { limit: number }) => {
      const output = createOutput(options.json ?? false);
      const rows = await page(
        await connect(options, output),
        options,
        `${PATH}?limit=${options.limit}`,
        'conversations',
      );
      output.result(rows, rows.length === 0 ? 'nobody talks' : rows.map(conversationLine).join('\n'));
    });

  leaf('create', 'make a conversation, or show the one that is there')
    .argument('<type>', 'direct, group or customer')
    .option('--with <USER>', 'who is in it, by your own id; may be repeated', many)
    .option('--title <TEXT>', 'what people call it')
    .option('--external-id <ID>', 'what you call it')
    .option('--to <NUMBER>', 'with a customer: his number or business-scoped user id')
    .option('--contact-id <ID>', 'with a customer: the contact, by own or external id')
    .option('--sender <ID>', "with a customer: the number (default: the tenant's default)")
    .action(async (type: string, options: CreateOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const body = JSON.stringify({
        type,
        participants: options.with?.map((user_id) => ({ user_id })),
        title: options.title,
        external_id: options.externalId,
        to: options.to,
        contact_id: options.contactId,
        sender_id: options.sender,
      });
      showRecord(await client.request({ method: 'POST', path: PATH, body, ...user(options) }), output);
    });

  leaf('say', 'say something in a conversation; to a customer it leaves by WhatsApp')
    .argument('<id>', 'own or external id')
    .argument('<text>', 'what is said')
    .option('--note', 'with a customer: a note, which never reaches him')
    .option('--reply-to <ID>', 'the message it answers')
    .action(async (id: string, text: string, options: Options & { note?: boolean; replyTo?: string }) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const said = { conversation_id: id, content: text, note: options.note, parent_message_id: options.replyTo };
      const asked = { method: 'POST', path: '/api/v1/messages', body: JSON.stringify(said) } as const;
      showRecord(await client.request({ ...asked, idempotencyKey: randomUUID(), ...user(options) }), output);
    });

  leaf('history', 'show what was said, the latest last')
    .argument('<id>', 'own or external id')
    .option('--limit <N>', 'how many, at most 100', parseLimit, 50)
    .option('--before <ID>', 'only what was said before this message')
    .action(async (id: string, options: Options & { limit: number; before?: string }) => {
      const output = createOutput(options.json ?? false);
      const query = new URLSearchParams({ limit: String(options.limit) });
      if (options.before !== undefined) query.set('before_id', options.before);
      const path = `${PATH}/${encodeURIComponent(id)}/messages?${query}`;
      const rows = (await page(await connect(options, output), options, path, 'messages')).reverse();
      output.result(rows, rows.length === 0 ? 'nothing was said' : rows.map(messageLine).join('\n'));
    });
  return command;
}

function user({ as }: Options): { user?: string } {
  return as === undefined ? {} : { user: as };
}

async function page(client: Client, options: Options, path: string, plural: string): Promise<JsonObject[]> {
  const answer = await client.request({ method: 'GET', path, ...user(options) });
  const rows = isObject(answer) ? answer[plural] : undefined;
  if (!Array.isArray(rows)) {
    throw new CliError(EXIT.failure, 'strange_answer', `the server's answer has no ${plural}; is there an Aldis?`);
  }
  return rows.filter(isObject);
}

function conversationLine(row: JsonObject): string {
  const { last_message, unread_count } = row;
  const said = isObject(last_message) ? optionalString(last_message, 'content') : null;
  const facts = [row.id, row.type, row.title ?? row.external_id, `${Number(unread_count)} unread`, said];
  return facts.filter((fact) => typeof fact === 'string').join('  ');
}

function messageLine(row: JsonObject): string {
  const who = optionalString(row, 'user_id') ?? optionalString(row, 'sender_type') ?? '';
  const said =
    optionalString(row, 'content') ?? (row.deleted_at === null ? `(${String(row.message_type)})` : '(deleted)');
  const marks = [row.note === true ? 'note' : null, optionalString(row, 'state')];
  return [row.created_at, row.id, who, ...marks, said].filter((fact) => typeof fact === 'string').join('  ');
}

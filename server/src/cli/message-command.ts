import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { usageError } from './exit-codes.ts';
import { timeOption } from './message-options.ts';
import { createOutput } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis message cancel MESSAGE_ID                                      it does not leave any more
  aldis message reschedule MESSAGE_ID --at 2026-12-01T08:00:00+07:00
  aldis message reschedule MESSAGE_ID --at now
  aldis message reschedule MESSAGE_ID --expires none                   no end of its own any more

Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server: unknown id, or too late.`;

interface TimesOptions extends ServerOptions {
  at?: string | typeof TAKEN_AWAY;
  expires?: string | typeof TAKEN_AWAY;
}

/** What a word that takes a time away is read as: of null, commander would make an empty string. */
const TAKEN_AWAY = Symbol('taken away');

/** `aldis message`: changes a message that has not left. */
export function messageCommand(): Command {
  const command = new Command('message')
    .summary('cancel or reschedule a message that has not left')
    .description('Cancel or reschedule a message that has not left.')
    .addHelpText('after', EXAMPLES);

  command.addCommand(
    leaf('cancel', 'take a message back before it leaves').action(async (id: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const path = `${one(id)}/cancel`;
      const answer = await client.request({ method: 'POST', path, idempotencyKey: randomUUID() });
      output.result(answer, `${id} ${isObject(answer) ? optionalString(answer, 'state') : ''}`);
    }),
  );

  command.addCommand(
    leaf('reschedule', 'change when a message leaves, or until when it may')
      .option('--at <TIME>', 'send it then: ISO 8601 with a zone, 2026-12-01T08:00:00+07:00, or now', timeOr('now'))
      .option('--expires <TIME>', 'do not send it after this time; none takes it away', timeOr('none'))
      .action(async (id: string, options: TimesOptions) => {
        const output = createOutput(options.json ?? false);
        const times = { scheduled_at: options.at, expires_at: options.expires };
        const given = Object.entries(times).filter(([, time]) => time !== undefined);
        if (given.length === 0) throw usageError('nothing to change: give --at, --expires, or both');
        const client = await connect(options, output);
        const change = Object.fromEntries(given.map(([name, time]) => [name, time === TAKEN_AWAY ? null : time]));
        const request = { method: 'PATCH', path: one(id), body: JSON.stringify(change) } as const;
        const answer = await client.request({ ...request, idempotencyKey: randomUUID() });
        output.result(answer, `${id} ${describe(isObject(answer) ? answer : {}, options.at === TAKEN_AWAY)}`);
      }),
  );
  return command;
}

function leaf(verb: string, summary: string): Command {
  const description = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
  return withServerOptions(
    new Command(verb).summary(summary).description(description).argument('<id>', 'the id of the message'),
  );
}

function one(id: string): string {
  return `/api/v1/messages/${encodeURIComponent(id)}`;
}

/** The times of a message as they now are. */
function describe(message: JsonObject, isNow: boolean): string {
  const at = optionalString(message, 'scheduled_at');
  const expires = optionalString(message, 'expires_at');
  const leaves = isNow || at === null ? 'may leave now' : `scheduled for ${at}`;
  return expires === null ? leaves : `${leaves}, not after ${expires}`;
}

/** A parser for a time, or for the word that takes it away. */
function timeOr(word: string): (text: string) => string | typeof TAKEN_AWAY {
  return (text) => (text === word ? TAKEN_AWAY : timeOption(text));
}

import { Command } from 'commander';
import { REDRIVE_PACE } from '../domain/dead-letters.ts';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { usageError } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { numberBetween } from './parse-number.ts';
import { showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis dead-letters list                                      failed messages by reason
  aldis dead-letters list --since 2026-12-01 --sender-id main
  aldis dead-letters retry MESSAGE_ID
  aldis export messages --error-code 131026 --out undeliverable.csv
  aldis dead-letters redrive --error-code 131042 --per-second 20
  aldis dead-letters redrive --all
  aldis dead-letters show REDRIVE_ID                           how far it is
  aldis dead-letters cancel REDRIVE_ID

What may have arrived is sent again only with --include-uncertain, or --accept-duplicate.
Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

interface FilterOptions extends ServerOptions {
  error?: string;
  errorCode?: number;
  senderId?: string;
  batchId?: string;
  since?: string;
  until?: string;
}

interface RedriveOptions extends FilterOptions {
  all?: boolean;
  perSecond: number;
  includeUncertain?: boolean;
}

/** `aldis dead-letters`: messages that failed, and sending them again. */
export function deadLetterCommand(): Command {
  const command = new Command('dead-letters')
    .summary('list failed messages by reason, send them again')
    .description('Failed messages by reason; sending them again by filter, at a pace.')
    .addHelpText('after', EXAMPLES);

  const list = withFilter(new Command('list').summary('list failed messages by reason'));
  command.addCommand(
    list.action(async (options: FilterOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const query = new URLSearchParams(
        Object.entries(filterOf(options)).map(([name, value]) => [name, String(value)]),
      );
      const answer = await client.request({ method: 'GET', path: `/api/v1/dead-letters?${query}` });
      const groups = isObject(answer) && Array.isArray(answer.dead_letters) ? answer.dead_letters.filter(isObject) : [];
      output.result(groups, groups.length === 0 ? 'no message has failed' : groups.map(groupLine).join('\n'));
    }),
  );

  const redrive = withFilter(new Command('redrive').summary('send failed messages again, those that match'))
    .option('--all', 'all of them: needed when nothing narrows them down')
    .option(
      '--per-second <N>',
      `how many are due again each second, at most ${REDRIVE_PACE.most}`,
      numberBetween(1, REDRIVE_PACE.most, true),
      REDRIVE_PACE.usual,
    )
    .option('--include-uncertain', 'also those that may have arrived: customers may get them twice');
  command.addCommand(
    redrive.action(async (options: RedriveOptions) => {
      const output = createOutput(options.json ?? false);
      const filter = filterOf(options);
      if (Object.keys(filter).length === 0 && !options.all) {
        throw usageError('nothing says which messages: give --error-code or another filter, or --all');
      }
      const client = await connect(options, output);
      const body = JSON.stringify({
        filter,
        per_second: options.perSecond,
        include_uncertain: options.includeUncertain ?? false,
      });
      const made = await client.request({ method: 'POST', path: '/api/v1/dead-letters/redrive', body });
      const id = isObject(made) ? (optionalString(made, 'id') ?? '') : '';
      output.note(`it runs on the server; how far it is: aldis dead-letters show ${id}`);
      showRecord(made, output);
    }),
  );

  const retry = withServerOptions(new Command('retry').summary('send one failed message again'))
    .argument('<id>', 'the id of the message')
    .option('--accept-duplicate', 'although it may have arrived: the customer may get it twice');
  command.addCommand(
    retry.action(async (id: string, options: ServerOptions & { acceptDuplicate?: boolean }) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const body = JSON.stringify({ accept_duplicate: options.acceptDuplicate ?? false });
      const path = `/api/v1/messages/${encodeURIComponent(id)}/retry`;
      output.result(await client.request({ method: 'POST', path, body }), `${id} is due again`);
    }),
  );

  for (const [verb, summary, method] of [
    ['show', 'show a redrive, and how far it is', 'GET'],
    ['cancel', 'stop a redrive; what is due again by then stays due', 'DELETE'],
  ] as const) {
    const leaf = withServerOptions(new Command(verb).summary(summary).argument('<id>', 'the id of the redrive'));
    command.addCommand(
      leaf.action(async (id: string, options: ServerOptions) => {
        const output = createOutput(options.json ?? false);
        const client = await connect(options, output);
        showRecord(await client.request({ method, path: `/api/v1/redrives/${encodeURIComponent(id)}` }), output);
      }),
    );
  }
  return command;
}

function withFilter(command: Command): Command {
  return withServerOptions(command)
    .option('--error <WORD>', 'those with this word in their error: outcome_unknown')
    .option(
      '--error-code <CODE>',
      "those with this code of the provider's; 0: none",
      numberBetween(0, 2_147_483_647, true),
    )
    .option('--sender-id <ID>', 'those of this sender, by own or external id')
    .option('--batch-id <ID>', 'those of this batch')
    .option('--since <DATE>', 'those that failed from this day or time on')
    .option('--until <DATE>', 'those that failed up to this day or time');
}

function filterOf({ error, errorCode, senderId, batchId, since, until }: FilterOptions): JsonObject {
  const filter = { error, error_code: errorCode, sender_id: senderId, batch_id: batchId, since, until };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function groupLine(group: JsonObject): string {
  const { count, uncertain, code, capped } = group;
  const doubt = typeof uncertain === 'number' && uncertain > 0 ? `  (${uncertain} may have arrived)` : '';
  return [
    `${String(count)}${capped === true ? '+' : ''}`.padStart(8),
    optionalString(group, 'error') ?? '',
    String(code).padStart(6),
    `${optionalString(group, 'title') ?? ''}${doubt}`,
    `last ${optionalString(group, 'newest') ?? ''}`,
  ].join('  ');
}

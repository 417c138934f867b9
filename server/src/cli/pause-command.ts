import { Command } from 'commander';
import { type JsonObject, optionalString } from './answers.ts';
import { createOutput } from './output.ts';
import { listAll } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis pause list                                      what stands still, and why
  aldis pause list --tenant shop-1
  aldis pause end 0199d5a2-7d3c-7d7e-a5a4-3f1c6f7f1f10    what waits goes at once

Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

const PATH = '/api/v1/pauses';

/** `aldis pause`: queues that stand still. */
export function pauseCommand(): Command {
  const command = new Command('pause')
    .summary('list queues that stand still, and let them go on')
    .description("List queues that stand still, and let them go on. Asks with the operator's key.")
    .addHelpText('after', EXAMPLES);

  command.addCommand(
    withServerOptions(
      new Command('list').summary('list what stands still').description('List what stands still, the newest first.'),
    )
      .option('--tenant <ID>', 'of one tenant, by own or external id (default: of all)')
      .action(async (options: ServerOptions & { tenant?: string }) => {
        const output = createOutput(options.json ?? false);
        const client = await connect(options, output, { as: 'operator' });
        const pauses = await listAll(client, { path: PATH, plural: 'pauses' }, options);
        output.result(pauses, pauses.length === 0 ? 'Nothing stands still.' : pauses.map(describe).join('\n'));
      }),
  );
  command.addCommand(
    withServerOptions(
      new Command('end')
        .summary('let a queue go on')
        .description('Let a queue go on. If the trouble lasts, it is shut again.'),
    )
      .argument('<id>', 'its id, as listed')
      .action(async (id: string, options: ServerOptions) => {
        const output = createOutput(options.json ?? false);
        const client = await connect(options, output, { as: 'operator' });
        const answer = await client.request({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` });
        output.result(answer, `${id} is ended: what waited for it goes on`);
      }),
  );
  return command;
}

/** A pause for a person: what stands still and why, what the other side said, and what to do. */
function describe(pause: JsonObject): string {
  const { code, probes } = pause;
  const probe = optionalString(pause, 'probe_at');
  const detail = optionalString(pause, 'detail');
  const advice = optionalString(pause, 'advice');
  const tried = probes === 0 ? '' : probes === 1 ? ', tried once' : `, tried ${probes} times`;
  const title = [optionalString(pause, 'title'), ...(typeof code === 'number' ? [`(error ${code})`] : [])].join(' ');
  return [
    [
      optionalString(pause, 'id'),
      [optionalString(pause, 'scope'), ...placeOf(pause)].join(' '),
      optionalString(pause, 'cause'),
      `since ${optionalString(pause, 'opened_at')}${tried}`,
      probe === null ? 'until somebody mends it' : `tried again at ${probe}`,
    ].join('  '),
    `    ${detail === null ? title : `${title}: ${detail}`}`,
    ...(advice === null ? [] : [`    → ${advice}`]),
  ].join('\n');
}

function placeOf(pause: JsonObject): string[] {
  const names = ['sender_id', 'app', 'account_id', 'country'].map((name) => optionalString(pause, name));
  return names.filter((name) => name !== null);
}

import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { usageError } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { listAll, showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis webhook add https://shop.example/aldis                         every event; shows the secret, once
  aldis webhook add https://shop.example/aldis --event 'message.*' --event chat.created --ordered
  aldis webhook test ID                                                post a made-up event there
  aldis webhook deliveries ID --state failed                           what did not arrive
  aldis webhook delivery ID DELIVERY_ID                                one, and what came of each try
  aldis webhook replay ID DELIVERY_ID                                  one once more
  aldis webhook replay ID --since 2026-12-01T08:00:00Z --only-failed   those that failed in a time
  aldis webhook rotate ID                                              a new secret; the old one signs for a day
  aldis webhook enable ID

Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

const PATH = '/api/v1/webhooks';

interface AddOptions extends ServerOptions {
  description?: string;
  event?: string[];
  senderId?: string[];
  conversationId?: string[];
  ordered?: boolean;
}

interface ReplayOptions extends ServerOptions {
  since?: string;
  until?: string;
  onlyFailed?: boolean;
}

/** `aldis webhook`: where events are posted. */
export function webhookCommand(): Command {
  const command = new Command('webhook')
    .summary('have events posted to an address, see what became of them')
    .description('Addresses that events are posted to, and what was posted there.')
    .addHelpText('after', EXAMPLES);
  const leaf = (name: string, summary: string) => {
    const text = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
    const made = withServerOptions(new Command(name).summary(summary).description(text));
    command.addCommand(made);
    return made;
  };
  const many = (value: string, before: string[] = []) => [...before, value];
  const at = (id: string) => `${PATH}/${encodeURIComponent(id)}`;
  const ask = (method: 'GET' | 'POST' | 'DELETE', path: (id: string) => string) => {
    return async (id: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      showRecord(await client.request({ method, path: path(id) }), output);
    };
  };

  leaf('add', 'have events posted to an address from now on')
    .argument('<url>', 'http or https, at a public address')
    .option('--description <TEXT>', 'what it is for')
    .option('--event <TYPE>', 'only these: a type, or message.* and its like; may be repeated', many)
    .option('--sender-id <ID>', 'only about these senders; may be repeated', many)
    .option('--conversation-id <ID>', 'only of these conversations; may be repeated', many)
    .option('--ordered', 'the events of a conversation one after the other')
    .action(async (url: string, options: AddOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const body = {
        url,
        description: options.description,
        event_types: options.event,
        sender_ids: options.senderId,
        conversation_ids: options.conversationId,
        ordered: options.ordered,
      };
      showRecord(await client.request({ method: 'POST', path: PATH, body: JSON.stringify(body) }), output);
      output.note('The secret is shown this once.');
    });

  leaf('list', 'list the addresses, the newest first').action(async (options: ServerOptions) => {
    const output = createOutput(options.json ?? false);
    const client = await connect(options, output);
    const found = await listAll(client, { path: PATH, plural: 'webhooks' }, {});
    output.result(found, found.length === 0 ? 'Events are posted nowhere.' : found.map(endpointLine).join('\n'));
  });
  leaf('show', 'show one').argument('<id>', 'its id').action(ask('GET', at));
  leaf('test', 'post a made-up event there')
    .argument('<id>', 'its id')
    .action(ask('POST', (id) => `${at(id)}/test`));
  leaf('enable', 'post there again')
    .argument('<id>', 'its id')
    .action(ask('POST', (id) => `${at(id)}/enable`));
  leaf('rotate', 'make a new secret; for a day the old one signs as well')
    .argument('<id>', 'its id')
    .action(ask('POST', (id) => `${at(id)}/rotate-secret`));
  leaf('remove', 'post nothing there any more').argument('<id>', 'its id').action(ask('DELETE', at));

  leaf('deliveries', 'list what was posted there lately, the newest first')
    .argument('<id>', 'its id')
    .option('--state <STATE>', 'only pending, delivered or failed')
    .option('--event-type <TYPE>', 'only of this type')
    .action(async (id: string, options: ServerOptions & { state?: string; eventType?: string }) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const query = new URLSearchParams();
      if (options.state !== undefined) query.set('state', options.state);
      if (options.eventType !== undefined) query.set('event_type', options.eventType);
      let rows: JsonObject[] = [];
      // A page looks through so many of them: none in it does not mean that there is none.
      for (let cursor: string | null = ''; rows.length === 0 && cursor !== null; ) {
        const answer = await client.request({ method: 'GET', path: `${at(id)}/deliveries?${query}` });
        rows = isObject(answer) && Array.isArray(answer.deliveries) ? answer.deliveries.filter(isObject) : [];
        cursor = isObject(answer) ? optionalString(answer, 'next_cursor') : null;
        if (cursor !== null) query.set('cursor', cursor);
      }
      output.result(rows, rows.length === 0 ? 'nothing' : rows.map(deliveryLine).join('\n'));
    });

  leaf('delivery', 'show one delivery, and what came of each try')
    .argument('<id>', 'the id of the address')
    .argument('<delivery>', 'its id')
    .action(async (id: string, delivery: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const path = `${at(id)}/deliveries/${encodeURIComponent(delivery)}`;
      showRecord(await client.request({ method: 'GET', path }), output);
    });

  leaf('replays', 'list how far replays of a time are, the newest first')
    .argument('<id>', 'its id')
    .action(async (id: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const found = await listAll(client, { path: `${at(id)}/replays`, plural: 'replays' }, {});
      output.result(found, found.length === 0 ? 'nothing' : found.map(replayLine).join('\n'));
    });

  leaf('replay', 'post once more: one delivery, or the events of a time')
    .argument('<id>', 'its id')
    .argument('[delivery]', 'one delivery')
    .option('--since <TIME>', 'what happened from then on, as 2026-12-01T08:00:00Z')
    .option('--until <TIME>', 'and until then (default: now)')
    .option('--only-failed', 'only what has failed for good')
    .action(async (id: string, delivery: string | undefined, options: ReplayOptions) => {
      const { since, until, onlyFailed: only_failed } = options;
      if ((delivery === undefined) === (since === undefined)) throw usageError('give a delivery, or --since');
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const answer =
        delivery === undefined
          ? await client.request({
              method: 'POST',
              path: `${at(id)}/replay`,
              body: JSON.stringify({ since, until, only_failed }),
            })
          : await client.request({
              method: 'POST',
              path: `${at(id)}/deliveries/${encodeURIComponent(delivery)}/replay`,
            });
      showRecord(answer, output);
    });
  return command;
}

function endpointLine(endpoint: JsonObject): string {
  const types = Array.isArray(endpoint.event_types) ? endpoint.event_types.join(' ') : 'all events';
  const since = optionalString(endpoint, 'failing_since');
  const state =
    endpoint.enabled === true
      ? since === null
        ? 'enabled'
        : `fails since ${since}`
      : `disabled${optionalString(endpoint, 'disabled_reason') === null ? '' : `: ${optionalString(endpoint, 'disabled_reason')}`}`;
  return [optionalString(endpoint, 'id'), optionalString(endpoint, 'url'), types, state].join('  ');
}

function replayLine(replay: JsonObject): string {
  const [since, until] = [optionalString(replay, 'since'), optionalString(replay, 'until')];
  const what = replay.only_failed === true ? 'what failed' : 'all';
  return `${optionalString(replay, 'id')}  ${since} to ${until}  ${what}  ${optionalString(replay, 'state')}  ${replay.replayed} posted again`;
}

function deliveryLine(delivery: JsonObject): string {
  const next = optionalString(delivery, 'next_try_at');
  return [
    optionalString(delivery, 'id'),
    optionalString(delivery, 'event_type'),
    optionalString(delivery, 'state'),
    `tries ${delivery.tries}`,
    ...(next === null ? [] : [`next ${next}`]),
    ...(optionalString(delivery, 'detail') === null ? [] : [optionalString(delivery, 'detail')]),
  ].join('  ');
}

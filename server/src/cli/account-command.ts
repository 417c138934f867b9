import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { createOutput } from './output.ts';
import { recordCommand, showRecord } from './record-command.ts';
import { mandatory, secretField, textField, yesNoField } from './record-fields.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
Examples:
  aldis account create 102290129340398 --access-token-file token.txt     its numbers become senders
  aldis account list --tenant shop-1
  aldis account change 102290129340398 --access-token-file new.txt       for all its senders; what waited goes on
  aldis account sync 102290129340398                                     reads it from WhatsApp
  aldis account alerts 102290129340398                                   what WhatsApp told of it
  aldis account unsubscribe 102290129340398                              its webhooks come no more

Tokens are read from files or standard input, and never shown again.`;

const FIELDS = [
  secretField('access_token', 'a file with the token that manages the account and sends from its numbers'),
  yesNoField('add_numbers', 'whether each of its numbers becomes a sender'),
  yesNoField('subscribe', 'whether its webhooks are to come'),
];

const PLACE = [
  textField('app', 'ID', 'the app whose webhooks tell of it (default: default)'),
  textField('portfolio_id', 'ID', 'its business portfolio (default: WhatsApp says)'),
];

const PATH = '/api/v1/accounts';

/** `aldis account`: WhatsApp Business Accounts. */
export function accountCommand(): Command {
  const command = recordCommand({
    noun: 'account',
    path: PATH,
    plural: 'accounts',
    ofTenant: true,
    summary: 'list, add and change WhatsApp Business Accounts',
    examples: EXAMPLES,
    id: 'the id that WhatsApp gave it',
    create: [...PLACE, ...mandatory(FIELDS, 'access_token')],
    change: FIELDS,
    end: { verb: 'delete', summary: 'delete an account whose senders have never sent or received, with them' },
    line,
  });
  for (const { verb, summary, method, path } of DEEDS) {
    const deed = new Command(verb).summary(summary).description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
    command.addCommand(
      withServerOptions(deed.argument('<id>', 'the id that WhatsApp gave it'))
        .option('--tenant <ID>', "the tenant, by own or external id (default: the key's own)")
        .action(async (id: string, options: ServerOptions & { tenant?: string }) => {
          const output = createOutput(options.json ?? false);
          const client = await connect(options, output, { as: 'operator' });
          const query = options.tenant === undefined ? '' : `?${new URLSearchParams({ tenant_id: options.tenant })}`;
          const answer = await client.request({ method, path: `${PATH}/${encodeURIComponent(id)}/${path}${query}` });
          const alerts = isObject(answer) ? answer['alerts'] : undefined;
          if (Array.isArray(alerts)) output.result(answer, alerts.filter(isObject).map(alertLine).join('\n'));
          else showRecord(answer, output);
        }),
    );
  }
  return command;
}

const DEEDS = [
  { verb: 'sync', summary: 'read an account from WhatsApp now', method: 'POST', path: 'sync' },
  { verb: 'alerts', summary: 'what WhatsApp told of an account, the newest 50', method: 'GET', path: 'alerts' },
  { verb: 'subscribe', summary: 'let webhooks of an account come', method: 'POST', path: 'subscribed_apps' },
  {
    verb: 'unsubscribe',
    summary: 'let webhooks of an account come no more',
    method: 'DELETE',
    path: 'subscribed_apps',
  },
] as const;

function line(account: JsonObject): string {
  const { senders, token_valid, subscribed } = account;
  const until = optionalString(account, 'token_expires_at');
  const detail = optionalString(account, 'sync_detail');
  return [
    optionalString(account, 'id'),
    optionalString(account, 'name') ?? '-',
    senders === 1 ? '1 sender' : `${senders} senders`,
    optionalString(account, 'messaging_limit') ?? '-',
    ...(token_valid === false ? ['the token is no good'] : []),
    ...(until === null ? [] : [`the token is good until ${until}`]),
    ...(subscribed === false ? ['no webhooks'] : []),
    ...(detail === null ? [] : [detail]),
  ].join('  ');
}

function alertLine(alert: JsonObject): string {
  return [optionalString(alert, 'time'), optionalString(alert, 'field'), JSON.stringify(alert['payload'])].join('  ');
}

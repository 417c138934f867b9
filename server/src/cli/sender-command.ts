import type { Command } from 'commander';
import { type JsonObject, optionalString } from './answers.ts';
import { recordCommand } from './record-command.ts';
import { countField, secretField, textField, yesNoField } from './record-fields.ts';

const EXAMPLES = `
Examples:
  aldis sender create "Outlet 7" --tenant shop-1 --phone +6281234567890 --phone-number-id 106540352242922 \\
    --account-id 102290129340398 --access-token-file token.txt
  aldis sender create "Hook" --channel webhook --webhook-url https://hooks.example/in --webhook-key-file -
  aldis sender list --tenant shop-1
  aldis sender change SENDER_ID --access-token-file token.txt
  aldis sender change SENDER_ID --per-day 1000 --is-default yes
  aldis sender change SENDER_ID --enabled no       accepts nothing and sends nothing

Secrets are read from files or standard input, and never shown again.`;

const FIELDS = [
  textField('external_id', 'ID', 'your own id of it', { orNone: true }),
  textField('phone', 'PHONE', 'the number, like +6281234567890'),
  textField('account_id', 'ID', 'its WhatsApp Business Account'),
  secretField('access_token', 'a file with the token that may send from it'),
  textField('webhook_url', 'URL', 'where messages are posted to'),
  textField('webhook_header', 'NAME', 'the header its key travels in', { orNone: true }),
  { ...secretField('webhook_key', 'a file with the key that is sent along to the webhook'), orNone: true },
  {
    ...countField('messages_per_second', 1, 100_000, 'how fast it may send'),
    about: 'how fast it may send; none: as WhatsApp says of its throughput',
  },
  countField('per_minute', 1, 100_000, 'the most that leave in a minute; the others wait'),
  countField('per_day', 1, 100_000_000, 'the most that are accepted in a day, UTC'),
  countField('batch_size', 1, 100_000, 'the most that leave in one --processing-interval-ms'),
  countField('processing_interval_ms', 100, 86_400_000, 'milliseconds, with --batch-size'),
  yesNoField('is_default', 'whether requests that name no sender leave from it'),
  yesNoField('enabled', 'whether it accepts and sends'),
  textField('outside_window', 'WORD', 'free text to a customer whose window is closed: refuse (default) or send'),
];

const PLACE = [
  textField('channel', 'NAME', 'whatsapp (default) or webhook'),
  textField('phone_number_id', 'ID', "the number's id in the Graph API"),
  textField('portfolio_id', 'ID', 'its business portfolio, whose limits its numbers share (default: its account)'),
];

/** `aldis sender`: what messages leave from. */
export function senderCommand(): Command {
  return recordCommand({
    noun: 'sender',
    path: '/api/v1/senders',
    plural: 'senders',
    ofTenant: true,
    summary: 'list, make and change senders: business numbers and webhooks',
    examples: EXAMPLES,
    create: [...PLACE, ...FIELDS],
    change: FIELDS,
    end: { verb: 'delete', summary: 'delete a sender that has never sent or received' },
    line,
  });
}

function line(sender: JsonObject): string {
  const { is_default, enabled, connected } = sender;
  const marks = [
    is_default === true ? 'default' : null,
    enabled === false ? 'disabled' : null,
    connected === false ? `not connected: ${optionalString(sender, 'connection_detail') ?? ''}` : null,
  ].filter((mark) => mark !== null);
  return [
    optionalString(sender, 'id'),
    optionalString(sender, 'external_id') ?? '-',
    optionalString(sender, 'phone') ?? optionalString(sender, 'webhook_url'),
    optionalString(sender, 'name'),
    ...marks,
  ].join('  ');
}

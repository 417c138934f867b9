import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { clientSettings } from '../runtime/client-settings.ts';
import { isObject, readAccepted } from './answers.ts';
import { argumentPath } from './argument-path.ts';
import { withReaction } from './content-options.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { composeBody, type MessageOptions, messageShape, withMessageOptions } from './message-options.ts';
import { createOutput, type Output } from './output.ts';
import { numberBetween } from './parse-number.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';
import { uploadFile } from './upload.ts';
import { followMessage, progressTo, type Waitable, waitOption } from './waiting.ts';

interface SendOptions extends MessageOptions, ServerOptions {
  country?: string;
  idempotencyKey?: string;
  wait?: Waitable;
  timeout: number;
  dryRun?: boolean;
}

const EXAMPLES = `
Examples:
  aldis send +6281234567890 "Hello {name}" --var name=Ana
  aldis send 0812-3456-7890 "Hello" --country ID --wait delivered
  aldis send +6281234567890 --template order_shipped --language id --params name,order --var name=Ana --var order=A17
  aldis send +6281234567890 --template otp --language en_US --params code --button 0={code} --var code=123456
  aldis send +6281234567890 "Your invoice" --media https://example.com/invoice.pdf --filename invoice.pdf
  aldis send +6281234567890 "Your invoice" --document ./invoice.pdf --fallback-template invoice_ready --fallback-language id
  aldis send +6281234567890 --location -6.1754,106.8272 --location-name Monas
  aldis send +6281234567890 --interactive @buttons.json --var name=Ana
  aldis send +6281234567890 --reaction 👍 --reply-to wamid.HBgN…
  aldis send +6281234567890 "Good morning" --at 2026-12-01T09:00:00+07:00

Exit codes: 0 accepted (with --wait: the state came), 1 failure, 2 usage, 3 not reachable, 4 refused,
6 accepted, but the state waited for did not come.`;

/** `aldis send`: one message. */
export function sendCommand(): Command {
  const command = new Command('send')
    .summary('send one message')
    .description('Send one message. It is stored durably before the command returns.')
    .argument('<to>', 'a phone number with its country code, or a business-scoped user id')
    .argument('[text]', 'the text, with {NAME} where a value goes');
  withReaction(withMessageOptions(command))
    .option('--country <CODE>', 'the country of a number written without its code, such as ID')
    .option('--reply-to <ID>', 'the message that this one answers: its id here or at WhatsApp')
    .option('--idempotency-key <KEY>', 'a name of your own for this message: the same name again sends nothing twice')
    .addOption(waitOption('wait until it is sent, delivered or read'))
    .option('--timeout <SECONDS>', 'how long --wait waits', numberBetween(0, 86_400), 60)
    .option('--dry-run', 'print the request instead of sending it');
  return withServerOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((to: string, text: string | undefined, options: SendOptions) =>
      send(to, text ?? null, options, createOutput(options.json ?? false)),
    );
}

async function send(to: string, text: string | null, options: SendOptions, output: Output): Promise<void> {
  const { body, file } = await requestBody(to, text, options);
  if (options.dryRun) {
    if (file !== null) output.note(`${file} would be uploaded, and its id stand in content.media_id`);
    output.result(body, JSON.stringify(body, null, 2));
    return;
  }
  const client = await connect(options, output);
  if (file !== null) {
    const { id } = await uploadFile(client, argumentPath(file));
    body.content = { ...(isObject(body.content) ? body.content : {}), media_id: id };
  }
  const accepted = readAccepted(
    await client.request({
      method: 'POST',
      path: '/api/v1/messages',
      body: JSON.stringify(body),
      idempotencyKey: options.idempotencyKey ?? randomUUID(),
    }),
  );
  for (const warning of accepted.warnings) output.note(`warning: ${warning}`);
  if (options.wait === undefined) {
    output.result(accepted, `${accepted.id} ${accepted.state}`);
    return;
  }
  const state = await followMessage(client, accepted.id, options.wait, options.timeout * 1_000);
  output.result({ ...accepted, state }, `${accepted.id} ${state}`);
  const progress = progressTo(options.wait, state);
  if (progress === 'reached') return;
  const why =
    progress === 'failed'
      ? `${accepted.id} is ${state}; ask why with: aldis status ${accepted.id}`
      : `${accepted.id} is ${state} after ${options.timeout} s, not ${options.wait}; it is still being worked on; ask why with: aldis explain ${accepted.id}`;
  throw new CliError(EXIT.notReached, progress === 'failed' ? state : 'timeout', why);
}

async function requestBody(
  to: string,
  text: string | null,
  options: SendOptions,
): Promise<{ body: Record<string, unknown>; file: string | null }> {
  const shape = messageShape(text, options);
  const { checkCountry, readAddress } = await import('./address.ts');
  const country = options.country ?? clientSettings().defaultCountry;
  const address = readAddress(to, country === null ? null : checkCountry(country));
  if (address.kind === 'refused') throw usageError(address.reason);
  const composed = composeBody(shape, address.value, (name) => options.var?.get(name));
  if (composed.kind === 'missing') {
    throw usageError(`no value for ${composed.names.map((name) => `{${name}}`).join(', ')}: give --var NAME=VALUE`);
  }
  // A reaction names its message itself.
  const answers = options.reaction === undefined && options.replyTo !== undefined ? { reply_to: options.replyTo } : {};
  return { body: { ...composed.body, ...answers }, file: shape.file };
}

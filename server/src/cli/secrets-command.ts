import { Command } from 'commander';
import { isObject } from './answers.ts';
import { EXIT } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { showRecord } from './record-command.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

const EXAMPLES = `
To take an encryption key out of use:
  1. make a new one:   openssl rand -base64 32
  2. start every instance with both:   ALDIS_SECRETS_ENCRYPTION_KEYS=2:NEW,1:OLD
  3. aldis secrets rotate
  4. when none failed, start with the new one alone:   ALDIS_SECRETS_ENCRYPTION_KEYS=2:NEW
Stopped in between, it goes on with the rest when it is called again.

Exit codes: 0 done, 1 failure, or some could not be opened, 2 usage, 3 not reachable, 4 refused by the server.`;

/** `aldis secrets`: what is stored encrypted. */
export function secretsCommand(): Command {
  const rotate = withServerOptions(
    new Command('rotate')
      .summary('seal every stored secret with the newest encryption key')
      .description('Seal every stored secret with the newest encryption key.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output, { as: 'operator' });
      const answer = await client.request({ method: 'POST', path: '/api/v1/secrets/rotate' });
      showRecord(answer, output);
      if (isObject(answer) && answer['failed'] !== 0) {
        output.note('those that failed were sealed with a key that is not configured: they stay as they are');
        process.exitCode = EXIT.failure;
      }
    });
  return new Command('secrets')
    .summary('the stored secrets: seal them with another key')
    .description("The stored secrets. Asks with the operator's key.")
    .addCommand(rotate);
}

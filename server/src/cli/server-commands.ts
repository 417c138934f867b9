import { Command } from 'commander';
import { flagHelp } from '../runtime/config-flags.ts';

/**
 * The commands that open the store. What they run is loaded only when they run, so that the others start fast. Their
 * flags are the settings of the configuration, which reads and checks them itself.
 */
export function startCommand(): Command {
  return serverCommand('start', 'start the server, its database and, outside production, the WhatsApp simulator')
    .addHelpText(
      'after',
      '\nPrints the line "aldis ready http://HOST:PORT" when it is. Ctrl-C or SIGTERM: drains, stops, exits with 0.' +
        '\nA trouble at start is said in one line, with what to do; then the exit code is 1, or 2 for a wrong setting.',
    )
    .action(async (flags: string[]) => {
      const { start } = await import('./start-command.ts');
      await start(flags);
    });
}

/** `aldis migrate`: the database's schema, without the server. */
export function migrateCommand(): Command {
  return serverCommand('migrate', "bring the database to this program's schema, and end")
    .addHelpText('after', '\nstart does this too. Exit codes: 0 done or nothing to do, 1 failure, 2 usage.')
    .action(async (flags: string[]) => {
      const { migrateStore } = await import('./migrate-command.ts');
      await migrateStore(flags);
    });
}

/** `aldis config`: the effective configuration of the server. It opens nothing. */
export function configCommand(): Command {
  return serverCommand('config', "show the server's effective configuration, and where each value comes from")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nSecrets are masked. Exit codes: 0 valid, 2 something in it is wrong (each error is named).',
    )
    .action(async (flags: string[], options: { json?: boolean }) => {
      const { showConfig } = await import('./config-command.ts');
      showConfig(flags, options.json ?? false);
    });
}

/** A command that takes the server's settings as flags. @param operand what comes before them */
export function serverCommand(name: string, summary: string, operand?: string): Command {
  const command = new Command(name);
  if (operand !== undefined) command.argument(operand);
  return command
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .usage(operand === undefined ? '[flags]' : `${operand} [flags]`)
    .argument('[flags...]')
    .allowUnknownOption()
    .helpOption('-h, --help', 'show the flags and their defaults')
    .addHelpText('after', () => `\nFlags (each is a setting; see docs/configuration.md):\n${flags()}`);
}

function flags(): string {
  return flagHelp()
    .map(({ flag, about }) => `  ${flag}\n      ${about}`)
    .join('\n');
}

import type { Command } from 'commander';
import { createOutput } from './output.ts';
import { serverCommand } from './server-commands.ts';

/** `aldis doctor`: looks at everything that can be wrong around the server. */
export function doctorCommand(): Command {
  return serverCommand('doctor', 'look at what the server needs, and say what is wrong and what to do')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWith the server running or not; it changes nothing. Exit codes: 0 nothing fails (there may be warnings),' +
        '\n1 something fails, 2 the configuration is wrong.',
    )
    .action(async (flags: string[], options: { json?: boolean }) => {
      const { examine } = await import('./doctor/examine.ts');
      process.exitCode = await examine(flags, createOutput(options.json ?? false));
    });
}

import type { Command } from 'commander';
import { createOutput } from './output.ts';
import { serverCommand } from './server-commands.ts';

/** `aldis backup`: the database to a file. */
export function backupCommand(): Command {
  return serverCommand('backup', 'write the whole database to a file; the server may be at work', '<file>')
    .option('--replace', 'replace the file if it is there')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe file holds every row as of one moment and can be restored into any PostgreSQL of 15 or newer. It holds messages' +
        '\nand addresses in the clear: keep it like the database. The encryption key is not in it: keep secret.key elsewhere.',
    )
    .action(async (file: string, flags: string[], options: { replace?: boolean; json?: boolean }) => {
      const { backUp } = await import('./backup/run-backup.ts');
      await backUp(file, flags, options.replace ?? false, createOutput(options.json ?? false));
    });
}

import type { Command } from 'commander';
import { createOutput } from './output.ts';
import { serverCommand } from './server-commands.ts';

/** `aldis restore`: a backup into an empty database. */
export function restoreCommand(): Command {
  return serverCommand('restore', 'restore a backup into an empty database; the server must be stopped', '<file>')
    .option('--resume', 'go on sending at the next start what was queued when the backup was made')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe file is checked first, and all of it is restored or nothing. If messages were queued or under way when it was' +
        '\nmade, sending is stopped for every tenant, for they may have been sent since; --resume does not stop.',
    )
    .action(async (file: string, flags: string[], options: { resume?: boolean; json?: boolean }) => {
      const { restore } = await import('./backup/run-restore.ts');
      await restore(file, flags, options.resume ?? false, createOutput(options.json ?? false));
    });
}

import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { accountCommand } from './account-command.ts';
import { appCommand } from './app-command.ts';
import { backupCommand } from './backup-command.ts';
import { contactCommand } from './contact-command.ts';
import { conversationCommand } from './conversation-command.ts';
import { deadLetterCommand } from './dead-letter-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { EXIT } from './exit-codes.ts';
import { explainCommand } from './explain-command.ts';
import { exportCommand } from './export-command.ts';
import { importCommand } from './import-command.ts';
import { keyCommand } from './key-command.ts';
import { mediaCommand } from './media-command.ts';
import { messageCommand } from './message-command.ts';
import { reportError } from './output.ts';
import { pauseCommand } from './pause-command.ts';
import { restoreCommand } from './restore-command.ts';
import { secretsCommand } from './secrets-command.ts';
import { sendCommand } from './send-command.ts';
import { senderCommand } from './sender-command.ts';
import { configCommand, migrateCommand, startCommand } from './server-commands.ts';
import { statusCommand } from './status-command.ts';
import { tailCommand } from './tail-command.ts';
import { templateCommand } from './template-command.ts';
import { tenantCommand } from './tenant-command.ts';
import { webhookCommand } from './webhook-command.ts';

/** The command line `aldis`. Each command is in a file of its own; this one puts them together and ends the process. */
function program(): Command {
  const commands = [
    startCommand(),
    migrateCommand(),
    configCommand(),
    doctorCommand(),
    backupCommand(),
    restoreCommand(),
    sendCommand(),
    importCommand(),
    exportCommand(),
    deadLetterCommand(),
    statusCommand(),
    explainCommand(),
    messageCommand(),
    tailCommand(),
    tenantCommand(),
    senderCommand(),
    keyCommand(),
    appCommand(),
    accountCommand(),
    pauseCommand(),
    secretsCommand(),
    templateCommand(),
    contactCommand(),
    mediaCommand(),
    conversationCommand(),
    webhookCommand(),
  ];
  const root = new Command('aldis')
    .description('Aldis sends and receives WhatsApp messages, and can say what became of each.')
    .version(manifest.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failure, 2 usage, 3 server not reachable, 4 refused by the server, 5 import partly refused' +
        '\nor failed, 6 the state waited for did not come, 130 stopped by Ctrl-C.',
    );
  for (const command of commands) root.addCommand(command);
  for (const command of [root, ...commands, ...commands.flatMap(({ commands: below }) => below)]) {
    command.exitOverride().showHelpAfterError('(try --help)').configureHelp({ showGlobalOptions: false });
  }
  return root;
}

/** Runs one command line. @returns the exit code, or null when the command set it or goes on */
async function run(argv: readonly string[]): Promise<number | null> {
  try {
    await program().parseAsync(argv);
    return null;
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(error, argv.includes('--json'));
  }
}

// A reader that has seen enough, as in `aldis tail | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const exitCode = await run(process.argv);
if (exitCode !== null) process.exitCode = exitCode;

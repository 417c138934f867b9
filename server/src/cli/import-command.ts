import { Command, Option } from 'commander';
import type { Patience } from './client.ts';
import { EXIT } from './exit-codes.ts';
import type { PlanOptions } from './import/plan.ts';
import { onInterrupt } from './interrupt.ts';
import { withMessageOptions } from './message-options.ts';
import { createOutput, type Output } from './output.ts';
import { numberBetween } from './parse-number.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';
import { type Waitable, waitOption } from './waiting.ts';

interface ImportOptions extends PlanOptions, ServerOptions {
  rate?: number;
  patience: number;
  wait?: Waitable;
  timeout: number;
  unanswered?: 'send' | 'skip';
  dryRun?: boolean;
}

const EXAMPLES = `
The file: the first line names the columns. The column phone, to or recipient_phone is the addressee; every other column
is a value for {NAME} of the same name. Comma, semicolon, tab or bar; UTF-8, UTF-16 or Latin-1; with or without a BOM.

Run the same command again after a crash or Ctrl-C and it goes on where it stopped; nothing is sent twice. A finished
import does nothing when run again; to send the same file once more on purpose, give --again a name.

A file that ends in .jsonl, .ndjson or .json has a JSON document a line, as mongoexport writes them: its fields are the
columns, to, phone or phoneNumber the addressee, and content the text unless --text gives another. Those with the status
"sent" are left out and counted.

Written beside FILE.csv: FILE.refused.csv (rows refused, with line and reason; correct them and import that file),
FILE.failed.csv (with --wait: messages that failed later) and FILE.import.jsonl (what has been done).

Examples:
  aldis import contacts.csv --text "Hello {name}" --country ID
  aldis import contacts.csv --template order_shipped --language id --params name,order --rate 50 --wait read
  aldis import contacts.csv --text "Hello {name}" --dry-run
  aldis import messages.jsonl --rate 5

Exit codes: 0 every row accepted (with --wait: and reached the state), 1 failure, 2 usage, 3 not reachable,
4 refused as a whole, 5 some rows refused or failed, 6 still under way when --timeout was over, 130 stopped by Ctrl-C.`;

/** `aldis import`: one message to each row of a CSV file, or for each document of a dump. */
export function importCommand(): Command {
  const command = new Command('import')
    .summary('send a message to each row of a CSV file, or for each line of a JSON dump')
    .description('Send a message to each row of a CSV file, or for each line of a file of JSON documents.')
    .argument('<file>', 'the file: CSV, or JSON documents line by line')
    .option('--text <TEXT>', 'the text, with {NAME} where the value of a column goes');
  withMessageOptions(command)
    .option('--phone-column <NAME>', 'the column of the addressee (default: phone, to or recipient_phone)')
    .option('--country <CODE>', 'the country of numbers written without its code, such as ID')
    .option('--allow-duplicates', 'send to a number as often as it stands in the file (default: once)')
    .option('--rate <ROWS>', 'send no more rows a second than this', numberBetween(0.01, 1_000_000))
    .option('--chunk <ROWS>', 'rows in a request', numberBetween(1, 10_000, true), 500)
    .option('--patience <SECONDS>', 'how long a server that went away is waited for', numberBetween(0, 86_400), 120)
    .addOption(waitOption('follow the messages until all are sent, delivered or read, or failed'))
    .option(
      '--timeout <SECONDS>',
      'with --wait: give up when nothing changed for so long',
      numberBetween(1, 86_400),
      300,
    )
    .option('--again <NAME>', 'send a file once more that was imported before; each name once')
    .addOption(
      new Option(
        '--unanswered <WAY>',
        'what to do with rows of a run over a day ago whose answer was never seen',
      ).choices(['send', 'skip']),
    )
    .option('--refused <PATH>', 'where refused rows are written')
    .option('--failed <PATH>', 'where messages that failed are written')
    .option('--journal <PATH>', 'where it is noted what has been done')
    .option('--dry-run', 'check the file, write the refused rows, show three requests, send nothing');
  return withServerOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: ImportOptions) => importFile(file, options, createOutput(options.json ?? false)));
}

async function importFile(file: string, options: ImportOptions, output: Output): Promise<void> {
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  try {
    const { planImport } = await import('./import/plan.ts');
    const { importTo, rehearse } = await import('./import/import-report.ts');
    const plan = await planImport(file, options);
    if (plan.source.encoding === 'windows-1252') {
      output.note(`${plan.source.path} is not UTF-8; it is read as Latin-1 (Windows-1252)`);
    }
    if (options.dryRun) {
      process.exitCode = await rehearse(plan, output);
      return;
    }
    const patience: Patience = { first: 5_000, later: options.patience * 1_000 };
    const client = await connect(options, output, { patience, giveUp: stop.signal });
    process.exitCode = await importTo(plan, client, output, {
      rate: options.rate ?? null,
      unanswered: options.unanswered ?? null,
      wanted: options.wait ?? null,
      timeout: options.timeout * 1_000,
      stop: stop.signal,
    });
  } finally {
    release();
  }
  if (stop.signal.aborted && process.exitCode === EXIT.interrupted) {
    output.note('stopped; run the same command again to go on');
  }
}

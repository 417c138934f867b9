#!/usr/bin/env node
import { act, helpOfVerbs, isVerb } from './cli/customer.ts';
import { logToStderr } from './log.ts';
import { BadOption, type Command, help, readCommand } from './options.ts';
import { type Simulator, startSimulator } from './simulator.ts';

/** The program: starts a simulator and keeps it until it is told, or its parent's pipe closes. With a verb, a customer acts. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (isVerb(argv[0]) && (argv[1] === '--help' || argv[1] === '-h')) {
    process.stdout.write(`${help(helpOfVerbs())}\n`);
    return;
  }
  if (isVerb(argv[0])) {
    try {
      process.stdout.write(`${await act(argv)}\n`);
    } catch (error) {
      if (!(error instanceof BadOption) && !isFileTrouble(error)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
    return;
  }
  if (argv[0] !== undefined && /^[a-z]/.test(argv[0])) {
    process.stderr.write(`there is no ${argv[0]}; --help lists what a customer can do\n`);
    process.exitCode = 2;
    return;
  }
  let command: Command;
  try {
    command = readCommand(argv);
  } catch (error) {
    if (!(error instanceof BadOption)) throw error;
    return fail(`${error.message}. --help lists the options.`);
  }
  if (command.help) {
    process.stdout.write(`${help(helpOfVerbs())}\n`);
    return;
  }
  let simulator: Simulator;
  try {
    simulator = await startSimulator(command.options);
  } catch (error) {
    return fail(explain(error, command));
  }
  endWhenTold(simulator, command.exitWithParent);
  process.stdout.write(`simulator ready ${simulator.url}\n`);
}

function endWhenTold(simulator: Simulator, exitWithParent: boolean): void {
  const end = (): void => {
    simulator.close().then(
      () => process.exit(0),
      (error: unknown) => fail(String(error)),
    );
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  if (!exitWithParent) return;
  // A parent that dies, however it dies, leaves a pipe that is closed.
  process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

/** A file that cannot be read. */
function isFileTrouble(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

function explain(error: unknown, { options }: Command): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return `port ${options.port} on ${options.host} is in use; stop what uses it, or choose another with --port (0: any free one)`;
  }
  if (code === 'EACCES') return `port ${options.port} needs rights that this user lacks; choose another with --port`;
  return `could not start: ${error instanceof Error ? error.message : error}`;
}

function fail(message: string): void {
  logToStderr(message);
  process.exit(1);
}

await main();

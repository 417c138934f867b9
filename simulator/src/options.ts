import { parseArgs } from 'node:util';
import { defaultSettings } from './settings.ts';
import { DEFAULT_BOUNDS, type SimulatorOptions } from './simulator.ts';

/** A start option that makes no sense. One line that says what to do. */
export class BadOption extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BadOption';
  }
}

interface NumberOption {
  default: number;
  min: number;
  max: number;
  about: string;
}

const DEFAULT_SETTINGS = defaultSettings();
const GREAT = Number.MAX_SAFE_INTEGER;
const DAY = 86_400_000;

/** Every option that is a number. The flag is the name with dashes, the variable ALDIS_SIMULATOR_ and the name. */
const NUMBERS = {
  port: { default: 4101, min: 0, max: 65_535, about: 'where it listens; 0 is any free port' },
  sent_after: { default: DEFAULT_SETTINGS.sent_after, min: 0, max: DAY, about: 'milliseconds from acceptance to sent' },
  delivered_after: { default: DEFAULT_SETTINGS.delivered_after, min: 0, max: DAY, about: '… to delivered' },
  read_after: { default: DEFAULT_SETTINGS.read_after, min: 0, max: DAY, about: '… to read' },
  statuses_per_webhook: { default: DEFAULT_SETTINGS.statuses_per_webhook, min: 1, max: 1000, about: 'at most' },
  webhook_concurrency: {
    default: DEFAULT_SETTINGS.webhook_concurrency,
    min: 1,
    max: 1024,
    about: 'webhooks under way at once',
  },
  max_messages: { default: DEFAULT_BOUNDS.messages, min: 1, max: GREAT, about: 'messages kept for listing' },
  max_body_bytes: { default: DEFAULT_BOUNDS.body_bytes, min: 0, max: GREAT, about: 'bytes kept of their bodies' },
  max_webhook_bytes: {
    default: DEFAULT_BOUNDS.webhook_bytes,
    min: 0,
    max: GREAT,
    about: 'bytes of webhooks that wait',
  },
  max_media_bytes: { default: DEFAULT_BOUNDS.media_bytes, min: 0, max: GREAT, about: 'bytes of uploaded media' },
} as const satisfies Record<string, NumberOption>;
type NumberName = keyof typeof NUMBERS;

/** What the program was asked to do. */
export interface Command {
  help: boolean;
  /** Ends when standard input closes. */
  exitWithParent: boolean;
  options: SimulatorOptions;
}

/** Reads flags and, behind them, the environment. Throws BadOption. */
export function readCommand(argv: readonly string[]): Command {
  const environment = process.env;
  const flags = parseFlags(argv);
  const text = (name: string): string | undefined => {
    const flag = flags[name.replaceAll('_', '-')];
    const value = typeof flag === 'string' ? flag : environment[`ALDIS_SIMULATOR_${name.toUpperCase()}`];
    return value === '' ? undefined : value;
  };
  const number = (name: NumberName): number => {
    const { min, max, default: usual } = NUMBERS[name];
    const value = text(name);
    if (value === undefined) return usual;
    if (/^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    throw new BadOption(`${name} must be a whole number from ${min} to ${max}, got "${value}"`);
  };
  const token = text('token');
  return {
    help: flags.help === true,
    exitWithParent: flags['exit-with-parent'] === true,
    options: {
      host: text('host') ?? '127.0.0.1',
      port: number('port'),
      tokens: token === undefined ? [] : [token],
      settings: {
        sent_after: number('sent_after'),
        delivered_after: number('delivered_after'),
        read_after: number('read_after'),
        statuses_per_webhook: number('statuses_per_webhook'),
        webhook_concurrency: number('webhook_concurrency'),
      },
      bounds: {
        messages: number('max_messages'),
        body_bytes: number('max_body_bytes'),
        webhook_bytes: number('max_webhook_bytes'),
        media_bytes: number('max_media_bytes'),
      },
    },
  };
}

/** Where the simulator is that a customer's command is for: ALDIS_SIMULATOR_URL, else the usual port here. */
export function simulatorUrl(): string {
  const { ALDIS_SIMULATOR_URL: url, ALDIS_SIMULATOR_PORT: port } = process.env;
  return url || `http://127.0.0.1:${port || NUMBERS.port.default}`;
}

/** The text of --help. `verbs` are the lines about what customers do. */
export function help(verbs: readonly string[]): string {
  const lines = Object.entries<NumberOption>(NUMBERS).map(([name, { about, default: usual }]) =>
    line(name.replaceAll('_', '-'), `${about} (${usual})`),
  );
  return [
    'A WhatsApp Cloud API that runs offline. docs/simulator.md says what it can do.',
    '',
    line('host', 'the address it listens on (127.0.0.1)'),
    ...lines,
    line('token', 'the only access token that is good (any)'),
    line('exit-with-parent', 'end when standard input closes'),
    '',
    'Every option with a value is also a variable: --read-after is ALDIS_SIMULATOR_READ_AFTER.',
    '',
    'Beside one that runs, a customer does something; CUSTOMER is a phone number or a user id:',
    '',
    ...verbs,
    '',
    '  with --number ID --user-id ID --name NAME --username NAME --reply-to WAMID --caption TEXT --voice --url URL',
  ].join('\n');
}

function line(flag: string, about: string): string {
  return `  --${flag.padEnd(22)} ${about}`;
}

function parseFlags(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const named = [...Object.keys(NUMBERS), 'host', 'token'].map((name) => name.replaceAll('_', '-'));
  const strings = Object.fromEntries(named.map((name) => [name, { type: 'string' } as const]));
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...strings, 'exit-with-parent': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      strict: true,
      allowPositionals: false,
    });
    return values;
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

import { Command } from 'commander';
import { STEPS } from '../domain/explanation-texts.ts';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { createOutput, type Output } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';

/** `aldis explain`: why a message has not left, or what became of it. */
export function explainCommand(): Command {
  return withServerOptions(
    new Command('explain')
      .summary('say why a message has not left, and what happens next')
      .description(
        'Say why a message has not left, what happens next and when, what you can do, and what has happened so far.',
      )
      .argument('<id>', 'the id of a message'),
  )
    .addHelpText(
      'after',
      '\nExit codes: 0 explained (whatever its state), 1 failure, 2 usage, 3 not reachable, 4 unknown id or refused.',
    )
    .action((id: string, options: ServerOptions) => explain(id, options, createOutput(options.json ?? false)));
}

async function explain(id: string, options: ServerOptions, output: Output): Promise<void> {
  const client = await connect(options, output);
  const answer = await client.request({ method: 'GET', path: `/api/v1/messages/${encodeURIComponent(id)}/explain` });
  const told = isObject(answer) ? answer : {};
  output.result(told, describe(told, Date.now()));
}

/** The explanation for a person. @param now milliseconds since 1970: times are also told from there */
export function describe(told: JsonObject, now: number): string {
  const cause = isObject(told.cause) ? told.cause : null;
  const state = optionalString(told, 'state') ?? '';
  const head = cause === null || cause.code === state ? state : `${state}: ${text(cause.code)}`;
  const facts: [string, string | null][] = [
    ['since', cause && when(cause.since, now)],
    ['next', next(told.next, now)],
    ['you can', optionalString(told, 'advice')],
    ['may have arrived', told.uncertain === true ? 'yes: nobody knows what came of an attempt' : null],
    ["WhatsApp's code", cause && cause.provider_code !== null ? text(cause.provider_code) : null],
  ];
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== null);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  const steps = Array.isArray(told.history) ? told.history.filter(isObject) : [];
  const lines = [head, optionalString(told, 'explanation') ?? ''];
  if (known.length > 0) lines.push('', ...known.map(([name, value]) => `${name.padEnd(width)}  ${value}`));
  if (steps.length > 0) lines.push('', 'history', ...steps.map((step) => `  ${describeStep(step)}`));
  return lines.join('\n');
}

function next(step: unknown, now: number): string | null {
  if (!isObject(step)) return null;
  const words = STEPS[step.what as keyof typeof STEPS] ?? text(step.what);
  const at = when(step.at, now);
  return at === null ? words : `${words}: ${at}`;
}

/** A time, and how far it is from now: `2026-12-01T15:00:00.000Z (in 5 minutes)`. */
function when(time: unknown, now: number): string | null {
  if (typeof time !== 'string') return null;
  const ms = Date.parse(time) - now;
  const away = span(Math.abs(ms));
  return `${time} (${Math.abs(ms) < 1000 ? 'now' : ms > 0 ? `in ${away}` : `${away} ago`})`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A length of time in its largest unit. */
function span(ms: number): string {
  const [unit, size] = UNITS.find(([, least]) => ms >= least) ?? ['second', 1000];
  const count = Math.round(ms / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A step of the history: when, what, and what is known of it. */
function describeStep({ at, step, attempt, ended_at, outcome, source, code, detail }: JsonObject): string {
  const took = typeof at === 'string' && typeof ended_at === 'string' ? Date.parse(ended_at) - Date.parse(at) : null;
  const parts = [
    text(at),
    typeof attempt === 'number' && step === 'attempt' ? `attempt ${attempt}` : text(step),
    step === 'attempt' || step === 'decision' ? text(outcome) : '',
    took === null ? '' : `after ${took} ms`,
    step === 'attempt' ? '' : by(source),
    typeof code === 'number' && code !== 0 ? `code ${code}` : '',
    text(detail),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function by(source: unknown): string {
  return source === null || source === undefined ? '' : `by ${text(source)}`;
}

function text(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

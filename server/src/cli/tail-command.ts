import { Command } from 'commander';
import { type EventAnswer, isObject, type JsonObject, optionalString, readEvents } from './answers.ts';
import { EXIT } from './exit-codes.ts';
import { onInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';
import { describeError } from './status-command.ts';

interface TailOptions extends ServerOptions {
  after: string;
  type?: string[];
  once?: boolean;
}

/** Seconds that the server may hold a request until there is an event: its documented most. */
const WAIT = 30;
const PAGE = 100;

const EXAMPLES = `
Examples:
  aldis tail                                    from now on
  aldis tail --after beginning --once           everything that is kept, then end
  aldis tail --type message.failed --json       failures only, a JSON object a line
  aldis tail --after CURSOR                     go on behind an event seen earlier (each JSON line has its cursor)

A connection that fails is taken up again behind the last event: none is lost, none comes twice.
Exit codes: 0 ended by Ctrl-C, by the reader or by --once, 1 failure, 2 usage, 3 not reachable, 4 refused.`;

/** `aldis tail`: events as they happen. */
export function tailCommand(): Command {
  return withServerOptions(
    new Command('tail')
      .summary('follow events live')
      .description('Follow what happens to messages, an event a line, until stopped.')
      .option('--after <CURSOR>', 'begin behind this cursor; "now", or "beginning" for all that is kept', 'now')
      .option('--type <TYPES>', 'only these, with commas between: message.failed,message.received', (text) =>
        text.split(','),
      )
      .option('--once', 'end when there is nothing more, instead of waiting for it'),
  )
    .addHelpText('after', EXAMPLES)
    .action((options: TailOptions) => tail(options, createOutput(options.json ?? false)));
}

async function tail(options: TailOptions, output: Output): Promise<void> {
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  const client = await connect(options, output, {
    patience: { first: 2_000, later: Number.POSITIVE_INFINITY },
    signal: stop.signal,
  });
  let cursor = options.after === 'beginning' ? null : options.after;
  let known: string | null = null;
  try {
    while (!stop.signal.aborted) {
      // "now" must become a place at once: asked for again after a cut connection, it would be another one.
      const wait = options.once || cursor === 'now' ? 0 : WAIT;
      const query = new URLSearchParams({ limit: String(PAGE), wait: String(wait) });
      if (cursor !== null) query.set('after', cursor);
      const page = readEvents(
        await client.request({ method: 'GET', path: `/api/v1/events?${query}`, timeout: (WAIT + 15) * 1_000 }),
      );
      for (const event of page.events) {
        warnOfGap(known, event, output);
        known = event.cursor;
        if (!options.type || options.type.includes(event.type)) await output.line(event, describeEvent(event));
      }
      cursor = page.nextCursor;
      known = cursor;
      if (options.once && page.events.length === 0) return;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    release();
  }
  if (output.interactive) output.note(`to go on from here: aldis tail --after ${cursor ?? 'beginning'}`);
  process.exitCode = EXIT.ok;
}

/** Each event names the one before it. A broken chain means that some are missing, and that must not go unsaid. */
function warnOfGap(known: string | null, event: EventAnswer, output: Output): void {
  if (known !== null && event.prev !== null && event.prev !== known) {
    output.note(`warning: events are missing between ${known} and ${event.cursor}`);
  }
}

/** An event in one line: when, what, which message, between whom, what a customer said, and why if it failed. */
function describeEvent(event: EventAnswer): string {
  const { data } = event;
  const message = isObject(data.message) ? data.message : data;
  const inbound = optionalString(message, 'direction') === 'inbound';
  const address = optionalString(message, inbound ? 'from' : 'to') ?? '';
  const parts = [
    event.time,
    event.type.padEnd(19),
    optionalString(message, 'id'),
    inbound ? `from ${address}` : address,
    inbound && SAID.includes(event.type) ? said(message) : null,
  ];
  return [...parts, describeError(message)].filter((part) => part !== null && part !== '').join('  ');
}

/** The events that bring words of a customer. */
const SAID = ['message.received', 'message.edited'];
const LONGEST = 60;

/** What a customer said: the type, unless it is a text, and the beginning of the words. */
function said(message: JsonObject): string {
  const type = optionalString(message, 'type') ?? '';
  const content = isObject(message.content) ? message.content : {};
  const reaction = isObject(content.reaction) ? optionalString(content.reaction, 'emoji') : null;
  const words = [...(optionalString(content, 'text') ?? reaction ?? '')];
  const text = words.length > LONGEST ? `${words.slice(0, LONGEST).join('')}…` : words.join('');
  return [type === 'text' ? '' : type, text === '' ? '' : JSON.stringify(text)].filter((part) => part !== '').join(' ');
}

import { parseArgs } from 'node:util';
import { isObject, parseJson } from '../json.ts';
import { BadOption, simulatorUrl } from '../options.ts';
import { type Actor, VERBS } from './verbs.ts';

const PATIENCE = 15_000;
const USER_ID = /^[A-Z]{2}\./;

/** Whether the command is something that a customer does, and not the start of a simulator. */
export function isVerb(word: string | undefined): boolean {
  return word !== undefined && Object.hasOwn(VERBS, word);
}

/**
 * `aldis-simulator VERB CUSTOMER …`: a customer of the simulator that runs does something. Returns the line that says what came
 * of it. Throws BadOption for what makes no sense and for what the simulator refused.
 */
export async function act(argv: readonly string[]): Promise<string> {
  const { values, positionals } = parse(argv);
  const [word = '', who = '', ...given] = positionals.map((one) => one.replace('\u0000', ''));
  const verb = VERBS[word];
  if (!verb) throw new BadOption(`there is no ${word}`);
  const needed = verb.arguments.filter((name) => !name.startsWith('[')).length;
  if (who === '' || given.length < needed || given.length > verb.arguments.length) {
    throw new BadOption(`usage: aldis-simulator ${word} CUSTOMER ${verb.arguments.join(' ')}`.trimEnd());
  }
  const { caption, voice } = values;
  const call = verb.call(actorOf(who, values), given, { caption: caption?.replace('\u0000', ''), voice });
  const url = new URL(call.path, values.url ?? simulatorUrl());
  return ask(url, JSON.stringify(call.body));
}

/** The lines of --help about what customers do. */
export function helpOfVerbs(): string[] {
  return Object.entries(VERBS).map(([word, verb]) =>
    `  ${[word, 'CUSTOMER', ...verb.arguments].join(' ').padEnd(52)} ${verb.about}`.trimEnd(),
  );
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      // A text may begin with a dash, a longitude does.
      args: argv.map((word) => (/^-\d/.test(word) ? `\u0000${word}` : word)),
      options: {
        number: text,
        'user-id': text,
        name: text,
        username: text,
        url: text,
        'reply-to': text,
        caption: text,
        voice: { type: 'boolean' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

type Values = ReturnType<typeof parse>['values'];

function actorOf(who: string, values: Values): Actor {
  return {
    ...(USER_ID.test(who) ? { user_id: who } : { from: who }),
    ...(values['user-id'] === undefined ? {} : { user_id: values['user-id'] }),
    ...(values.number === undefined ? {} : { phone_number_id: values.number }),
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values['reply-to'] === undefined ? {} : { context: { message_id: values['reply-to'] } }),
  };
}

async function ask(url: URL, body: string): Promise<string> {
  let text: string;
  let ok: boolean;
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(PATIENCE) });
    text = await response.text();
    ok = response.ok;
  } catch (error) {
    throw new BadOption(`no simulator answers at ${url.origin}; --url names another`, { cause: error });
  }
  const answer = parseJson(text);
  if (ok && isObject(answer)) return typeof answer.wamid === 'string' ? answer.wamid : JSON.stringify(answer);
  throw new BadOption(isObject(answer) ? String(answer.message) : text.slice(0, 300));
}

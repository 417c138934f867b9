import { AldisError } from '../../domain/errors.ts';

/**
 * The two spellings of a name: ours, snake_case, and queue-service's, camelCase, in which a few things also have another
 * name.
 */
export interface Spelling {
  /** Names of requests that are written in camelCase only, each with ours. */
  readonly camel: ReadonlyMap<string, string>;
  /** Names of requests that are written in snake_case only. */
  readonly snake: ReadonlySet<string>;
}

/** What queue-service calls otherwise than we do. */
const OTHERWISE = new Map([
  ['sender_id', 'whatsappAccountId'],
  ['scheduled_at', 'scheduledFor'],
]);
/** What a request may call by queue-service's name as well: it knows a batch as a campaign. */
const BESIDES = new Map([['batch_id', 'campaignId']]);

/** A name of ours as queue-service writes it. */
export function queueName(name: string): string {
  return OTHERWISE.get(name) ?? camelCase(name);
}

/** A word of ours as queue-service writes it: `read` is `Read`. */
export function queueWord(word: string): string {
  return camelCase(`_${word}`);
}

/** Our word for one of queue-service's; a word that is written as ours already stays. */
export function canonicalWord(word: string): string {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(word)) return word;
  return word.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`);
}

/** All the ways to write a name of ours in camelCase: queue-service's own, and ours in camels. */
export function camelNames(name: string): string[] {
  return [...new Set([queueName(name), camelCase(name), BESIDES.get(name) ?? camelCase(name)])];
}

/** The names of requests, from the names that requests have. */
export function createSpelling(): Spelling & { add(names: Iterable<string>): void } {
  const camel = new Map<string, string>();
  const snake = new Set<string>();
  return {
    camel,
    snake,
    add(names) {
      for (const name of names) {
        if (!name.includes('_')) continue;
        snake.add(name);
        for (const other of camelNames(name)) camel.set(other, name);
      }
    },
  };
}

/**
 * Which spelling the names at the top of these objects are in; null when none of them tells.
 * @throws {AldisError} `mixed_spelling` when both are used.
 */
export function spellingOf({ camel, snake }: Spelling, ...objects: unknown[]): 'camel' | 'snake' | null {
  let camels: string | null = null;
  let snakes: string | null = null;
  for (const object of objects) {
    // A body may be bytes, each of which would count as a name.
    if (typeof object !== 'object' || object === null || ArrayBuffer.isView(object)) continue;
    for (const name of Object.keys(object)) {
      if (camel.has(name)) camels ??= name;
      else if (snake.has(name)) snakes ??= name;
    }
  }
  if (camels !== null && snakes !== null) {
    throw new AldisError('mixed_spelling', undefined, { field: snakes, details: { names: [snakes, camels] } });
  }
  return camels === null ? (snakes === null ? null : 'snake') : 'camel';
}

function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

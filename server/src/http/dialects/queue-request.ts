import { AldisError } from '../../domain/errors.ts';
import { isObject, type Shape } from './shape.ts';
import { canonicalWord, type Spelling, spellingOf } from './spelling.ts';

/**
 * From a request in queue-service's dialect to ours: camelCase to snake_case, capitalised words to ours, and a message whose
 * `content` is its text and whose `mediaUrl` stands beside it to one `content`. What is already ours, and what is known to
 * nobody, stays: the route's own schema judges it, with the name that the user gave it.
 * @throws {AldisError} `mixed_spelling`, `two_senders`, or `invalid_field` for one thing that is said twice.
 */
export function requestFromQueue(shape: Shape | null, spelling: Spelling, value: unknown): unknown {
  if (shape === null) return value;
  if (Array.isArray(value)) return value.map((item) => requestFromQueue(shape, spelling, item));
  // The items of a batch are spelled each in its own way.
  if (!isObject(value) || spellingOf(spelling, value) === 'snake') return value;
  // By pairs, not by assignment, which would let a field named `__proto__` vanish.
  const pairs = new Map<string, unknown>();
  for (const [name, part] of Object.entries(value)) {
    const ours = shape.canonical.get(name) ?? name;
    if (pairs.has(ours)) throw saidTwice(name, ours);
    const inner = shape.parts.get(ours) ?? null;
    pairs.set(ours, WORDS.has(ours) && typeof part === 'string' ? canonicalWord(part) : inside(inner, spelling, part));
  }
  if (isMessage(shape)) foldContent(pairs);
  return Object.fromEntries(pairs);
}

/** The same for a query. Lists are asked for by page there, and the first is meant when none is named. */
export function queryFromQueue(shape: Shape | null, spelling: Spelling, query: unknown): unknown {
  const ours = requestFromQueue(shape, spelling, query);
  if (!shape?.parts.has('page') || !isObject(ours) || 'page' in ours || 'cursor' in ours) return ours;
  return { ...ours, page: '1' };
}

/** Names whose values are words of ours. */
const WORDS: ReadonlySet<string> = new Set(['status', 'direction', 'type', 'message_type']);

function inside(shape: Shape | null, spelling: Spelling, part: unknown): unknown {
  return typeof part === 'object' ? requestFromQueue(shape, spelling, part) : part;
}

/** Whether it is a message that this shape is of: its content may have media. */
function isMessage({ parts }: Shape): boolean {
  return parts.get('content')?.parts.has('media_url') ?? false;
}

/** Makes one content of a text and the media beside it. A text that says nothing is no caption. */
function foldContent(pairs: Map<string, unknown>): void {
  const content = pairs.get('content');
  const media = pairs.get('mediaUrl');
  if (typeof content !== 'string' && media === undefined) return;
  if (content !== undefined && typeof content !== 'string' && !isObject(content)) {
    throw new AldisError('invalid_field', 'content must be a string.', { field: 'content' });
  }
  const folded = isObject(content) ? { ...content } : {};
  if (typeof content === 'string' && (content !== '' || media === undefined)) folded['text'] = content;
  if (media !== undefined) {
    if ('media_url' in folded) throw saidTwice('mediaUrl', 'content.media_url');
    folded['media_url'] = media;
    pairs.delete('mediaUrl');
  }
  pairs.set('content', folded);
}

function saidTwice(name: string, ours: string): AldisError {
  if (ours === 'sender_id') return new AldisError('two_senders', undefined, { field: name });
  return new AldisError('invalid_field', `${name} says again what another field says.`, { field: name });
}

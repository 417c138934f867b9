import type { ErrorBody } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import { isObject } from './shape.ts';
import { queueName, queueWord, type Spelling } from './spelling.ts';

/** What an answer in queue-service's dialect tells beside our own. */
export interface AnswerContext {
  tenant: TenantId | null;
  /** The route: `POST /api/v1/messages`. */
  route: string;
  /** The HTTP status of the answer. */
  status: number;
  /** The body that was asked with, as ours. */
  asked: unknown;
  spelling: Spelling;
}

/** An answer of ours, as JSON has it, in queue-service's dialect: in its envelope, camelCase, with capitalised words. */
export function answerInQueue(answer: unknown, context: AnswerContext): object {
  const message = SENTENCES.get(`${context.route} ${context.status}`);
  const data = respell(answer, context);
  return {
    success: true,
    ...(message === undefined ? {} : { message }),
    data: context.route === ACCEPT && isObject(data) ? { ...data, ...echo(context.asked) } : data,
  };
}

/** An error of ours in queue-service's dialect: in the one shape, with its names of fields. */
export function errorInQueue(error: ErrorBody, { spelling }: Pick<AnswerContext, 'spelling'>): object {
  return { success: false, ...respellError(error, spelling) };
}

const ACCEPT = 'POST /api/v1/messages';

/** What is said of what was done, by route and status. The first is documented; the others are ours. */
const SENTENCES: ReadonlyMap<string, string> = new Map([
  [`${ACCEPT} 202`, 'Message queued for sending'],
  [`${ACCEPT} 201`, 'Message recorded'],
  ['POST /api/v1/messages/batch 202', 'Messages queued for sending'],
  ['POST /api/v1/messages/:id/retry 202', 'Message queued for sending'],
  ['POST /api/v1/messages/:id/cancel 200', 'Message cancelled'],
  ['PUT /api/v1/messages/:id/read 200', 'Message marked as read'],
  ['POST /api/v1/messages/:id/read 200', 'Message marked as read'],
]);

/** Under these names stands what is the user's or the provider's, and is never touched. */
export const VERBATIM: ReadonlySet<string> = new Set([
  'content',
  'template',
  'metadata',
  'variables',
  'components',
  'attributes',
  'payload',
]);
/** Under these names stand counts by words of ours. */
export const COUNTS: ReadonlySet<string> = new Set(['by_status', 'by_direction', 'by_type']);
/** Words of ours, in what has a state. The state itself keeps the true word. */
const WORDS: ReadonlySet<string> = new Set(['status', 'direction', 'type']);

function respell(value: unknown, context: AnswerContext): unknown {
  if (Array.isArray(value)) return value.map((item) => respell(item, context));
  if (!isObject(value)) return value;
  if (isMessage(value)) return messageInQueue(value, context);
  if (isRefusal(value)) return respellError(value, context.spelling);
  return respellNames(value, context);
}

function respellNames(value: Record<string, unknown>, context: AnswerContext): Record<string, unknown> {
  const words = 'state' in value;
  const pairs = Object.entries(value).map(([name, part]): [string, unknown] => {
    if (VERBATIM.has(name)) return [queueName(name), part];
    if (COUNTS.has(name) && isObject(part)) return [queueName(name), capitalNames(part)];
    if (words && WORDS.has(name) && typeof part === 'string') return [queueName(name), queueWord(part)];
    return [queueName(name), respell(part, context)];
  });
  return Object.fromEntries(pairs);
}

function capitalNames(counts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(counts).map(([word, count]) => [queueWord(word), count]));
}

/**
 * What the documented answer repeats of the request, in its own words: a text with media is a `Text` here, and in every list
 * what it is sent as.
 */
function echo(asked: unknown): Record<string, unknown> {
  if (!isObject(asked)) return {};
  const { type, content } = asked;
  const { text, media_url } = isObject(content) ? content : {};
  return {
    ...(typeof type === 'string' ? { type: queueWord(type) } : {}),
    content: text ?? (typeof content === 'string' ? content : ''),
    ...(media_url === undefined ? {} : { mediaUrl: media_url }),
  };
}

/** What a content has that stands in fields of its own. */
const CONTENT: ReadonlySet<string> = new Set(['text', 'media_url']);

function isMessage(value: Record<string, unknown>): boolean {
  return 'direction' in value && 'sender_id' in value && 'content' in value;
}

/**
 * A message as queue-service has it, with the rest of what we know of it. `content` is the text, empty without one; what
 * else a content holds stands in `contentDetails`, as it is.
 */
function messageInQueue(value: Record<string, unknown>, context: AnswerContext): Record<string, unknown> {
  const { content: said, batch_id, ...rest } = value;
  const content = isObject(said) ? said : {};
  const { text, media_url } = content;
  const plain = Object.keys(content).every((name) => CONTENT.has(name) && typeof content[name] === 'string');
  const { id, whatsappAccountId, contactId, direction, type, whatsappMessageId, status, ...others } = respellNames(
    rest,
    context,
  );
  const { scheduledFor, sentAt, deliveredAt, readAt, createdAt, ...further } = others;
  return {
    id,
    userId: context.tenant,
    whatsappAccountId,
    contactId,
    campaignId: batch_id,
    direction,
    type,
    content: typeof text === 'string' ? text : '',
    mediaUrl: typeof media_url === 'string' ? media_url : null,
    whatsappMessageId,
    status,
    errorMessage: errorMessageOf(value),
    scheduledFor,
    sentAt,
    deliveredAt,
    readAt,
    isFromBot: value['sender_type'] === 'bot' || value['sender_type'] === 'llm',
    createdAt,
    updatedAt: updatedAtOf(value),
    ...further,
    contentDetails: plain ? null : said,
  };
}

/** Why a message failed, in one sentence. What ended without having left says how. */
function errorMessageOf({ status, state, error }: Record<string, unknown>): unknown {
  if (status !== 'failed') return null;
  if (!isObject(error)) return state === 'failed' ? null : state;
  const { title, detail } = error;
  return typeof detail !== 'string' || detail === title ? title : `${String(title)}: ${detail}`;
}

/** When a message last changed: the latest of the times of its states. */
function updatedAtOf(value: Record<string, unknown>): unknown {
  let latest = value['created_at'];
  for (const [name, time] of Object.entries(value)) {
    if (!name.endsWith('_at') || name === 'scheduled_at' || name === 'expires_at') continue;
    // Times in UTC with milliseconds: in order as strings too.
    if (typeof time === 'string' && typeof latest === 'string' && time > latest) latest = time;
  }
  return latest;
}

/** An error of a whole request, or of one item of a batch. */
function isRefusal(value: Record<string, unknown>): value is Record<string, unknown> & Refusal {
  return typeof value['error'] === 'string' && typeof value['message'] === 'string';
}

type Refusal = { error: string; message: string; field?: unknown; details?: unknown };

function respellError<E extends Refusal>(error: E, spelling: Spelling): Record<string, unknown> {
  const { details } = error;
  const answer: Record<string, unknown> = { ...error, message: sentenceInQueue(error, spelling) };
  if (isObject(details)) {
    answer['details'] = Object.fromEntries(Object.entries(details).map(([name, part]) => [queueName(name), part]));
  }
  // These name a field as the user wrote it.
  if (error.error === 'mixed_spelling' || error.error === 'unknown_field') return answer;
  for (const told of [answer, answer['details']]) {
    if (isObject(told) && typeof told['field'] === 'string') told['field'] = pathInQueue(told['field'], spelling);
  }
  return answer;
}

/**
 * Names of ours in a sentence. Users' values never stand in one, but names of theirs may: each run of letters is looked at from
 * its beginning alone, so that a long one takes no time.
 */
function sentenceInQueue({ error, message }: Refusal, spelling: Spelling): string {
  // This sentence is documented, and queue-service knows no other addresses.
  if (error === 'invalid_phone') return 'Phone number must be in E.164 format';
  return message
    .replace(/(?<![a-z])[a-z]+(?:[_.[\]0-9]+[a-z]+)+/g, (path) => pathInQueue(path, spelling))
    .replace(/\bone of ([a-z_]+(?:, [a-z_]+)*)/, (whole, list: string) =>
      /^(messages\[\d+\]\.)?(The )?(type|status|direction|message_type)\b/.test(message)
        ? `one of ${list.split(', ').map(queueWord).join(', ')}`
        : whole,
    );
}

/** The path of a field: a text is the content itself, and media stand beside it. */
function pathInQueue(path: string, { snake }: Spelling): string {
  return path
    .replace(/\bcontent\.text$/, 'content')
    .replace(/\bcontent\.(?=media_url$)/, '')
    .replace(/(?<![a-z])[a-z]+(?:_[a-z0-9]+)+/g, (name) => (snake.has(name) ? queueName(name) : name));
}

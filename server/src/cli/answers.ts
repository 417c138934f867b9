import { STATES, type State } from '../domain/message.ts';
import { CliError, EXIT } from './exit-codes.ts';

/**
 * The server's answers as the command line reads them. Only what is used is looked at, so that an older client
 * understands a newer server.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface AcceptedAnswer {
  id: string;
  state: string;
  to: string;
  /** Codes of the error table. */
  warnings: string[];
}

export interface BatchAnswer {
  batchId: string;
  accepted: number;
  refused: number;
  /** By place in the request. */
  errors: { index: number; error: string; message: string; field: string | null }[];
}

/** How many messages are in which state. */
export type Counts = Readonly<Record<State, number>>;

export interface EventAnswer {
  type: string;
  time: string;
  cursor: string;
  prev: string | null;
  data: JsonObject;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isState(value: unknown): value is State {
  return STATES.some((state) => state === value);
}

/** The answer to `POST /api/v1/messages`. */
export function readAccepted(body: unknown): AcceptedAnswer {
  const answer = object(body, 'answer');
  return {
    id: string(answer, 'id'),
    state: string(answer, 'state'),
    to: string(answer, 'to'),
    warnings: array(answer.warnings ?? [], 'warnings').map(String),
  };
}

/** The answer to `POST /api/v1/messages/batch`. */
export function readBatch(body: unknown): BatchAnswer {
  const answer = object(body, 'answer');
  return {
    batchId: string(answer, 'batch_id'),
    accepted: number(answer, 'accepted'),
    refused: number(answer, 'refused'),
    errors: array(answer.errors, 'errors').map((item) => {
      const error = object(item, 'errors');
      return {
        index: number(error, 'index'),
        error: string(error, 'error'),
        message: string(error, 'message'),
        field: optionalString(error, 'field'),
      };
    }),
  };
}

/** The answer to `GET /api/v1/batches/{id}`: how many of its messages are in each state. */
export function readBatchCounts(body: unknown): Counts {
  const counts = object(object(body, 'answer').by_state, 'by_state');
  const byState = noCounts();
  for (const state of STATES) byState[state] = counts[state] === undefined ? 0 : number(counts, state);
  return byState;
}

/** No message in any state. */
export function noCounts(): Record<State, number> {
  return {
    queued: 0,
    sending: 0,
    unconfirmed: 0,
    sent: 0,
    delivered: 0,
    read: 0,
    played: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
  };
}

/** The answer to `GET /api/v1/events`. */
export function readEvents(body: unknown): { events: EventAnswer[]; nextCursor: string } {
  const answer = object(body, 'answer');
  const events = array(answer.events, 'events').map((item) => {
    const event = object(item, 'events');
    return {
      type: string(event, 'type'),
      time: string(event, 'time'),
      cursor: string(event, 'cursor'),
      prev: optionalString(event, 'prev'),
      data: object(event.data, 'data'),
    };
  });
  return { events, nextCursor: string(answer, 'next_cursor') };
}

/** A page of `GET /api/v1/messages`. */
export function readMessages(body: unknown): { messages: JsonObject[]; nextCursor: string | null } {
  const answer = object(body, 'answer');
  return {
    messages: array(answer.messages, 'messages').map((item) => object(item, 'messages')),
    nextCursor: optionalString(answer, 'next_cursor'),
  };
}

/** A message or its status: whatever it is, it has a state. */
export function readState(body: unknown): State {
  const { state } = object(body, 'answer');
  if (!isState(state)) throw strange('state', 'one of the documented states');
  return state;
}

/** The text of a field, or null when it is absent or null. */
export function optionalString(from: JsonObject, name: string): string | null {
  const value = from[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw strange(name, 'a string');
  return value;
}

function object(value: unknown, name: string): JsonObject {
  if (!isObject(value)) throw strange(name, 'an object');
  return value;
}

function array(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw strange(name, 'an array');
  return value;
}

function string(from: JsonObject, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') throw strange(name, 'a string');
  return value;
}

function number(from: JsonObject, name: string): number {
  const value = from[name];
  if (typeof value !== 'number') throw strange(name, 'a number');
  return value;
}

function strange(name: string, wanted: string): CliError {
  return new CliError(
    EXIT.failure,
    'strange_answer',
    `the server's answer has no ${name} that is ${wanted}; is there an Aldis at this address, and of this version?`,
  );
}

import Type from 'typebox';
import { STATUSES } from '../../domain/message.ts';
import { ERRORS_OF_ROUTES, Reference, reference } from '../schemas.ts';

/** Counts by words all of which are always there. */
const countsOf = <W extends string>(words: readonly W[]) =>
  Type.Unsafe<Record<W, number>>({
    type: 'object',
    properties: Object.fromEntries(words.map((word) => [word, { type: 'integer' }])),
    required: [...words],
  });

const Rate = (description: string) => Type.Unsafe<number | null>({ type: ['number', 'null'], description });

const Statistics = Type.Object(
  {
    total: Type.Integer({ description: 'Messages in both directions.' }),
    by_status: countsOf(STATUSES),
    by_direction: countsOf(['inbound', 'outbound']),
    by_type: Type.Unsafe<Record<string, number>>({
      type: 'object',
      additionalProperties: { type: 'integer' },
      description: 'The types that there are messages of.',
    }),
    delivery_rate: Rate(
      'Of the outbound messages that are sent, delivered, read or failed: how many are delivered or read, from 0 to 1. Null when there are none. Cancelled and expired ones never left, and do not count.',
    ),
    read_rate: Rate(
      'Of the outbound messages that are delivered or read: how many are read. Null when there are none.',
    ),
  },
  { $id: 'Statistics' },
);

const StatisticsQuery = Type.Object(
  { sender_id: Type.Optional(Reference('Of this sender only: own or external id.')) },
  { additionalProperties: false },
);

export const ROUTE = {
  tags: ['messages'],
  summary: 'How many messages there are',
  description:
    'By status, direction and type, since the beginning. It is counted with every change, so it costs the same at any size. A sender that does not exist is 404.',
  querystring: StatisticsQuery,
  response: { 200: reference(Statistics), ...ERRORS_OF_ROUTES },
} as const;

/** The parts that others refer to. */
export const STATISTICS_PARTS = [Statistics];

import Type, { type Static } from 'typebox';
import { REDRIVE_PACE, REDRIVE_STATES, RETRY_REFUSALS, type RetryRefusal } from '../../domain/dead-letters.ts';
import type { RedriveRecord } from '../../store/redrives.read.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, NullableTime, reference, Time, words } from '../schemas.ts';
import { DeadLetterFilterQuery } from './dead-letters.schema.ts';
import { closed, PAGE, pageOf } from './record-pages.schema.ts';

const Filter = Type.Object(DeadLetterFilterQuery.properties, {
  ...closed,
  description: 'Which failed messages, as in the list of reasons; {}: all of them.',
});

const RedriveBody = Type.Object(
  {
    filter: Filter,
    per_second: Type.Integer({
      minimum: 1,
      maximum: REDRIVE_PACE.most,
      default: REDRIVE_PACE.usual,
      description: 'How many messages are due again each second, at most.',
    }),
    include_uncertain: Type.Boolean({
      default: false,
      description: 'Also those that may have arrived: a customer may get them twice.',
    }),
  },
  { ...closed, $id: 'RedriveBody' },
);

const RedriveObject = Type.Object(
  {
    id: Type.String(),
    state: words(REDRIVE_STATES),
    filter: Type.Object(DeadLetterFilterQuery.properties),
    per_second: Type.Integer(),
    include_uncertain: Type.Boolean(),
    queued: Type.Integer({ description: 'Messages that are due again.' }),
    skipped: Type.Integer({ description: 'Messages that were left failed.' }),
    skipped_reasons: Type.Unsafe<Partial<Record<RetryRefusal, number>>>({
      type: 'object',
      properties: Object.fromEntries(RETRY_REFUSALS.map((reason) => [reason, { type: 'integer' }])),
      description: 'How many for which reason.',
    }),
    key_id: Type.String({ description: 'The API key that asked for it.' }),
    created_at: Time,
    ended_at: NullableTime,
  },
  { $id: 'Redrive', description: 'Failed messages that are sent again, at a pace.' },
);
const RedriveList = pageOf('redrives', reference(RedriveObject), 'RedriveList');
export const RedrivePage = Type.Object(PAGE, closed);

/** A record as it is answered. */
export function redriveView({ skipped, ...record }: RedriveRecord): Static<typeof RedriveObject> {
  return {
    ...record,
    skipped: Object.values(skipped).reduce((sum, n) => sum + n, 0),
    skipped_reasons: skipped,
  };
}

const tags = ['dead letters'];
const one = { 200: reference(RedriveObject), ...ERRORS_OF_ROUTES };

export const REDRIVE_ROUTES = {
  create: {
    tags,
    summary: 'Send failed messages again',
    description:
      'Those that match and failed before now, in the order in which they were accepted, at the pace asked for; in the background. Each is due once. Left failed are those that may have arrived (unless they are asked for), whose time is over, whose recipient has opted out, or for which a limit has no place. What fails again is not taken again. At most 3 run at a time.',
    querystring: NO_QUERY,
    body: RedriveBody,
    response: { 202: reference(RedriveObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List redrives, the newest first',
    description: 'They are forgotten 90 days after their end.',
    querystring: RedrivePage,
    response: { 200: reference(RedriveList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A redrive, and how far it is', querystring: NO_QUERY, response: one },
  cancel: {
    tags,
    summary: 'Stop a redrive',
    description: 'What is due again by then stays due.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: one,
  },
} as const;

export const REDRIVE_PARTS = [RedriveBody, RedriveObject, RedriveList];

import Type from 'typebox';
import { ERRORS_OF_ROUTES, Reference, reference, Time } from '../schemas.ts';
import { closed } from './record-pages.schema.ts';

/** Which failed messages are meant, in a query and in the body of a redrive. */
export const DeadLetterFilterQuery = Type.Object(
  {
    error: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[a-z_]+$',
        description: 'The word in the error of the message: `outcome_unknown`.',
      }),
    ),
    error_code: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2147483647, description: "The provider's code; 0: none of the provider's." }),
    ),
    sender_id: Type.Optional(Reference('Own or external id.')),
    batch_id: Type.Optional(Reference('The id of a batch.')),
    since: Type.Optional(Type.String({ description: 'Failed from here on: a day, or a time with a zone.' })),
    until: Type.Optional(Type.String({ description: 'Failed up to here: a day, whole, or a time with a zone.' })),
  },
  closed,
);

const DeadLetterGroupObject = Type.Object(
  {
    error: Type.String({ description: 'The word in the error of the messages.' }),
    code: Type.Integer({ description: "The provider's code; 0: none of the provider's." }),
    title: Type.String({ description: 'As it was told of the newest of them.' }),
    count: Type.Integer(),
    uncertain: Type.Integer({
      description: 'How many of them may have arrived: nobody knows what came of an attempt.',
    }),
    oldest: Time,
    newest: Time,
    capped: Type.Boolean({ description: 'true: counting stopped at the million newest; there are more.' }),
  },
  { $id: 'DeadLetterGroup' },
);

const DeadLetterList = Type.Object(
  { dead_letters: Type.Array(reference(DeadLetterGroupObject)) },
  { $id: 'DeadLetterList' },
);

export const DEAD_LETTER_ROUTES = {
  list: {
    tags: ['dead letters'],
    summary: 'Failed messages by reason',
    description:
      'The most frequent reason first. `GET /api/v1/messages` with `error` and `error_code` lists the messages of a reason; `POST /api/v1/dead-letters/redrive` sends them again.',
    querystring: DeadLetterFilterQuery,
    response: { 200: reference(DeadLetterList), ...ERRORS_OF_ROUTES },
  },
} as const;

export const DEAD_LETTER_PARTS = [DeadLetterGroupObject, DeadLetterList];

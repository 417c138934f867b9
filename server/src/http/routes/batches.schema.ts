import Type from 'typebox';
import { CountByState, ERRORS_OF_ROUTES, NO_QUERY, NullableString, reference, Time } from '../schemas.ts';
import { IdempotencyHeader, MessageBody } from './messages.schema.ts';

const closed = { additionalProperties: false };

const MOST_ITEMS = 10_000;

/** A batch as it is validated: its items one by one, later, so that each is accepted or refused on its own. */
export const BatchEnvelope = Type.Object(
  { messages: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MOST_ITEMS }) },
  { ...closed, $id: 'BatchEnvelope' },
);

/** A batch as it is documented: the items are what they are validated as. */
export const BatchBody = Type.Object(
  { messages: Type.Array(reference(MessageBody), { minItems: 1, maxItems: MOST_ITEMS }) },
  { ...closed, $id: 'BatchBody' },
);

const ItemError = Type.Object(
  {
    index: Type.Integer({ description: 'The place in the request, from 0.' }),
    error: Type.String(),
    code: Type.String(),
    message: Type.String(),
    field: NullableString,
  },
  { $id: 'ItemError' },
);

const AcceptedBatchAnswer = Type.Object(
  {
    batch_id: Type.String(),
    accepted: Type.Integer(),
    refused: Type.Integer(),
    messages: Type.Array(
      Type.Object({
        index: Type.Integer(),
        id: Type.String(),
        warnings: Type.Optional(Type.Array(Type.String())),
      }),
    ),
    errors: Type.Array(reference(ItemError)),
    warnings: Type.Optional(Type.Array(Type.String())),
  },
  { $id: 'AcceptedBatch' },
);

const BatchAnswer = Type.Object(
  {
    batch_id: Type.String(),
    complete: Type.Boolean({ description: 'Whether all of it is stored; before that nothing of it leaves.' }),
    total: Type.Integer({ description: 'Items in the request.' }),
    accepted: Type.Integer(),
    refused: Type.Integer(),
    by_state: CountByState,
    created_at: Time,
    errors: Type.Array(reference(ItemError)),
  },
  { $id: 'Batch' },
);

const tags = ['batches'];

/** The documentation of each route, with the schemas that validate and serialise it. */
export const ROUTES = {
  accept: {
    tags,
    summary: 'Accept up to 10,000 messages',
    description: 'Each is accepted or refused on its own; refusals name the place in the request.',
    querystring: NO_QUERY,
    headers: IdempotencyHeader,
    body: BatchEnvelope,
    response: { 202: reference(AcceptedBatchAnswer), ...ERRORS_OF_ROUTES },
  },
  read: {
    tags,
    summary: 'A batch: how many of its messages are in which state',
    querystring: NO_QUERY,
    response: { 200: reference(BatchAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

/** The parts that others refer to. */
export const BATCH_PARTS = [ItemError, AcceptedBatchAnswer, BatchAnswer];

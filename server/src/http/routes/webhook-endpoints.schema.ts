import Type, { type Static } from 'typebox';
import {
  DELIVERY_KINDS,
  DELIVERY_STATES,
  LONGEST_URL,
  MOST_ENDPOINTS,
  MOST_FILTERED,
  TEST_EVENT,
} from '../../domain/webhook-endpoint.ts';
import { MOST_TRIES } from '../../domain/webhook-retry.ts';
import type { AttemptRecord, DeliveryRecord } from '../../store/webhook-deliveries.read.ts';
import type { EndpointRecord } from '../../store/webhook-endpoints.read.ts';
import {
  ERRORS_OF_ROUTES,
  NO_BODY,
  NO_QUERY,
  NullableString,
  NullableTime,
  Reference,
  reference,
  Time,
  words,
} from '../schemas.ts';
import { closed, DeletedAnswer, orNull, PAGE, pageOf } from './record-pages.schema.ts';

const listOf = (item: string, description: string) =>
  orNull(
    Type.Array(Type.String({ minLength: 1, maxLength: 128, description: item }), {
      minItems: 1,
      maxItems: MOST_FILTERED,
      description,
    }),
  );

const FIELDS = {
  description: orNull(Type.String({ minLength: 1, maxLength: 500, pattern: '^\\P{Cc}+$' })),
  enabled: Type.Boolean({
    description: 'Nothing is posted to one that is not; what happens meanwhile can be replayed.',
  }),
  event_types: listOf(
    'A type of docs/events.md, or message.* and its like.',
    'Which events; null or absent: all that there are and will be.',
  ),
  sender_ids: listOf('Own or external id of a sender.', 'Only events about these senders.'),
  conversation_ids: listOf('Own or external id of a conversation.', 'Only events of these conversations.'),
  ordered: Type.Boolean({
    description:
      'Whether the next event of a conversation waits until the one before is delivered, or has failed. Holds for what happens from then on.',
  }),
};
const Url = Type.String({
  description: `Where events are posted: http or https, at a public address, at most ${LONGEST_URL} characters. Redirects are not followed.`,
});

const EndpointBody = Type.Object(
  { url: Url, ...Type.Partial(Type.Object(FIELDS)).properties },
  { ...closed, $id: 'WebhookEndpointBody' },
);
const EndpointChange = Type.Partial(Type.Object({ url: Url, ...FIELDS }), { ...closed, $id: 'WebhookEndpointChange' });

const strings = Type.Unsafe<readonly string[] | null>({ type: ['array', 'null'], items: { type: 'string' } });
const ENDPOINT = {
  id: Type.String(),
  url: Type.String(),
  description: NullableString,
  enabled: Type.Boolean(),
  disabled_reason: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'Why it was disabled by itself; null when it was not.',
  }),
  event_types: strings,
  sender_ids: strings,
  conversation_ids: strings,
  ordered: Type.Boolean(),
  failing_since: Type.Unsafe<Date | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Since when no delivery went well; null when the last one did.',
  }),
  previous_secret_until: Type.Unsafe<Date | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Until when the secret before the last one signs as well.',
  }),
  created_at: Time,
  updated_at: Time,
};
const EndpointObject = Type.Object(ENDPOINT, { $id: 'WebhookEndpoint' });
const EndpointWithSecret = Type.Object(
  {
    ...ENDPOINT,
    secret: Type.String({
      description: 'What signs, as the Standard Webhooks specification has it (whsec_…). Shown this once.',
    }),
  },
  { $id: 'WebhookEndpointWithSecret' },
);
const EndpointList = pageOf('webhooks', reference(EndpointObject), 'WebhookEndpointList');
export const EndpointPage = Type.Object(PAGE, closed);

const DELIVERY = {
  id: Type.String(),
  endpoint_id: Type.String(),
  kind: words(DELIVERY_KINDS, { description: 'event: as it happened; replay: told once more; test.' }),
  event_id: Type.String({ description: 'The webhook-id it is posted under, at every try and replay.' }),
  event_type: Type.String(),
  state: words(DELIVERY_STATES),
  tries: Type.Integer({ description: 'How often it was tried, the try under way included.' }),
  next_try_at: Type.Unsafe<Date | null>({
    type: ['string', 'null'],
    format: 'date-time',
    description: 'Of a pending one; null while one before it in its conversation is not done.',
  }),
  http_status: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: 'Of the last answer; null: there was none.',
  }),
  detail: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'What went wrong at the last try.' }),
  created_at: Time,
  ended_at: NullableTime,
};
const DeliveryObject = Type.Object(DELIVERY, { $id: 'WebhookDelivery' });
const Attempt = Type.Object({
  attempt: Type.Integer(),
  started_at: Time,
  took_ms: Type.Integer(),
  http_status: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
  detail: NullableString,
  answer: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'The beginning of what was answered.' }),
});
const DeliveryWithAttempts = Type.Object(
  { ...DELIVERY, attempts: Type.Array(Attempt) },
  { $id: 'WebhookDeliveryWithAttempts' },
);
const DeliveryList = pageOf('deliveries', reference(DeliveryObject), 'WebhookDeliveryList');
export const DeliveriesQuery = Type.Object(
  {
    ...PAGE,
    state: Type.Optional(words(DELIVERY_STATES)),
    event_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'One type.' })),
  },
  closed,
);

const When = Type.String({ format: 'date-time', maxLength: 40 });
const ReplayBody = Type.Object(
  {
    since: When,
    until: Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description: 'Absent: now.' })),
    only_failed: Type.Boolean({
      default: false,
      description:
        'Only deliveries that have failed for good; else all events that the filter lets through, posted before or not.',
    }),
  },
  { ...closed, $id: 'WebhookReplayBody' },
);
const ReplayObject = Type.Object(
  {
    id: Type.String(),
    endpoint_id: Type.String(),
    since: Time,
    until: Time,
    only_failed: Type.Boolean(),
    state: words(['running', 'done']),
    replayed: Type.Integer({ description: 'Deliveries made so far.' }),
    created_at: Time,
    ended_at: NullableTime,
  },
  { $id: 'WebhookReplay' },
);
const ReplayList = pageOf('replays', reference(ReplayObject), 'WebhookReplayList');

/** Path parameters of routes on one delivery. */
export const DeliveryParameters = Type.Object({
  id: Reference('The endpoint.'),
  delivery: Reference('The delivery.'),
});

/** An endpoint as it is answered. */
export function endpointView({ previous_until, ...record }: EndpointRecord): Static<typeof EndpointObject> {
  return { ...record, previous_secret_until: previous_until };
}

/** A delivery as it is answered. */
export function deliveryView(row: DeliveryRecord): Static<typeof DeliveryObject> {
  const { id, endpoint_id, kind, event_id, event_type, state, tries, detail, created_at, ended_at } = row;
  const now = { state, tries, next_try_at: row.due_at, http_status: row.status, detail };
  return { id, endpoint_id, kind, event_id, event_type, ...now, created_at, ended_at };
}

/** The same with its tries: those that failed, and the one that went well. */
export function deliveryWithAttempts(
  row: DeliveryRecord,
  failed: readonly AttemptRecord[],
): Static<typeof DeliveryWithAttempts> {
  const { state, tries: attempt, tried_at: started_at, took_ms, status } = row;
  const well =
    state === 'delivered' && started_at !== null
      ? [{ attempt, started_at, took_ms: took_ms ?? 0, status, detail: null, answer: null }]
      : [];
  const attempts = [...failed, ...well].map(({ status: http_status, ...rest }) => ({ ...rest, http_status }));
  return { ...deliveryView(row), attempts };
}

const tags = ['webhooks'];
const one = { 200: reference(EndpointObject), ...ERRORS_OF_ROUTES };
const retried = `Any 2xx is delivered. Else it is tried ${MOST_TRIES} times in three days: after 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 6 h, 12 h, 24 h and 24 h.`;

export const ENDPOINT_ROUTES = {
  create: {
    tags,
    summary: 'Have events posted to an address',
    description: `From now on. Signed as the Standard Webhooks specification says; the secret is in this answer and never shown again. ${retried} At most ${MOST_ENDPOINTS} of a tenant.`,
    querystring: NO_QUERY,
    body: EndpointBody,
    response: { 201: reference(EndpointWithSecret), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List webhook endpoints, the newest first',
    querystring: EndpointPage,
    response: { 200: reference(EndpointList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A webhook endpoint', querystring: NO_QUERY, response: one },
  change: {
    tags,
    summary: 'Change a webhook endpoint',
    description: 'What is absent stays.',
    querystring: NO_QUERY,
    body: EndpointChange,
    response: one,
  },
  remove: {
    tags,
    summary: 'Delete a webhook endpoint',
    description: 'What was to be posted there is not posted any more.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
  rotate: {
    tags,
    summary: 'Give a webhook endpoint a new secret',
    description: 'For 24 hours the old one signs as well: each delivery has two signatures.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: reference(EndpointWithSecret), ...ERRORS_OF_ROUTES },
  },
  enable: {
    tags,
    summary: 'Enable a webhook endpoint again',
    description: 'What was still to be posted goes on. What happened meanwhile can be replayed.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: one,
  },
  test: {
    tags,
    summary: 'Post a test event',
    description: `An event of the type ${TEST_EVENT}, whatever the filter says. What came of it is told by the delivery.`,
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 202: reference(DeliveryObject), ...ERRORS_OF_ROUTES },
  },
  deliveries: {
    tags,
    summary: 'List deliveries, the newest first',
    description:
      'A page looks through a bounded number of them, so it may be short and not the last: that has no next_cursor.',
    querystring: DeliveriesQuery,
    response: { 200: reference(DeliveryList), ...ERRORS_OF_ROUTES },
  },
  delivery: {
    tags,
    summary: 'A delivery, and what came of each try',
    querystring: NO_QUERY,
    response: { 200: reference(DeliveryWithAttempts), ...ERRORS_OF_ROUTES },
  },
  replayOne: {
    tags,
    summary: 'Post an event once more',
    description: 'As a delivery of its own under the same webhook-id.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 202: reference(DeliveryObject), ...ERRORS_OF_ROUTES },
  },
  replay: {
    tags,
    summary: 'Post the events of a time once more',
    description:
      'In the background, never more at once than the endpoint keeps up with; one such at a time for each endpoint. Under the same webhook-ids.',
    querystring: NO_QUERY,
    body: ReplayBody,
    response: { 202: reference(ReplayObject), ...ERRORS_OF_ROUTES },
  },
  replays: {
    tags,
    summary: 'List replays, the newest first',
    querystring: EndpointPage,
    response: { 200: reference(ReplayList), ...ERRORS_OF_ROUTES },
  },
} as const;

/** The parts that others refer to. */
export const ENDPOINT_PARTS = [
  EndpointBody,
  EndpointChange,
  EndpointObject,
  EndpointWithSecret,
  EndpointList,
  DeliveryObject,
  DeliveryWithAttempts,
  DeliveryList,
  ReplayBody,
  ReplayObject,
  ReplayList,
];

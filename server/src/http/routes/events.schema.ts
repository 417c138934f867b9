import Type from 'typebox';
import { MessageReference } from '../message-view.ts';
import { ERRORS_OF_ROUTES, reference, Time } from '../schemas.ts';

export const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        description: 'The cursor of the last event seen; `now` for the end of the log. Absent: from its beginning.',
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    wait: Type.Integer({ minimum: 0, maximum: 30, default: 0, description: 'Seconds to wait when there is none yet.' }),
  },
  { additionalProperties: false },
);

const EventObject = Type.Object(
  {
    id: Type.String(),
    type: Type.String({
      description:
        '`message.` and a state; message.received; and what is done to a message later: message.reaction, message.edited, message.deleted, message.media.',
    }),
    time: Time,
    cursor: Type.String({ description: 'The place after this event.' }),
    prev: Type.String({
      description: 'The cursor of the event before it: an unbroken chain proves that none is missing.',
    }),
    data: MessageReference,
  },
  { $id: 'Event' },
);

const EventList = Type.Object(
  { events: Type.Array(reference(EventObject)), next_cursor: Type.String() },
  { $id: 'EventList' },
);

/** The parts that others refer to. */
export const EVENT_PARTS = [EventObject, EventList];

export const ROUTES = {
  list: {
    tags: ['events'],
    summary: 'What happened, in order',
    description: 'Every change of state of every message. Ask again with next_cursor; nothing is skipped.',
    querystring: EventsQuery,
    response: { 200: reference(EventList), ...ERRORS_OF_ROUTES },
  },
} as const;

import Type from 'typebox';
import { type ConversationEvents, type ConversationEventType, EVENT_TYPES } from '../../domain/event-catalogue.ts';
import type { MessageView } from '../../domain/message-view.ts';
import { ERRORS_OF_ROUTES, Reference, reference, Time, words } from '../schemas.ts';

export const EventsQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        description:
          'The next_cursor of the page before; `now` for the end of the log. Absent: from the first event that is kept.',
      }),
    ),
    types: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1000,
        description: 'Only events of these types, separated by commas. `chat.*` means all that begin so.',
      }),
    ),
    conversation_id: Type.Optional(Reference('Only what is of this conversation: by its own or external id.')),
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    wait: Type.Integer({ minimum: 0, maximum: 30, default: 0, description: 'Seconds to wait when there is none yet.' }),
  },
  { additionalProperties: false },
);

const EventObject = Type.Object(
  {
    id: Type.String(),
    type: words(EVENT_TYPES, { description: 'What happened, as docs/events.md lists it.' }),
    time: Time,
    cursor: Type.String({ description: 'The place after this event.' }),
    prev: Type.String({
      description:
        'The cursor of the event before it among those that were asked for: an unbroken chain proves that none is missing.',
    }),
    data: Type.Unsafe<MessageView | ConversationEvents[ConversationEventType]>({
      description:
        'Of `message.*` the message as it was then (#/components/schemas/Message); of others as docs/events.md says.',
    }),
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
    description:
      'Every change of state of every message, and all that happens in conversations. A request that speaks for a user gets what he may see. Ask again with next_cursor; nothing is skipped.',
    querystring: EventsQuery,
    response: { 200: reference(EventList), ...ERRORS_OF_ROUTES },
  },
} as const;

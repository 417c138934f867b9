import Type from 'typebox';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableTime, reference } from '../schemas.ts';

const PresenceObject = Type.Object(
  {
    user_id: Type.String(),
    online: Type.Boolean({ description: 'Whether a WebSocket of his is open.' }),
    last_seen: { ...NullableTime, description: 'When one was last closed; null: never.' },
  },
  { $id: 'Presence' },
);

export const PRESENCE_ROUTES = {
  read: {
    tags: ['conversations'],
    summary: 'Whether a user is there',
    description:
      'A user may ask of those whom he shares a conversation with, and of himself; software of all. Changes come by the WebSocket: see `subscribe` in docs/websocket.md.',
    params: Type.Object({ id: Type.String({ description: 'The id of the user, as the outer system has it.' }) }),
    querystring: NO_QUERY,
    response: { 200: reference(PresenceObject), ...ERRORS_OF_ROUTES },
  },
} as const;

export const PRESENCE_PARTS = [PresenceObject];

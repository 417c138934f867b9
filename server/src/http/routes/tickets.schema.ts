import Type from 'typebox';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, reference, Time } from '../schemas.ts';

const TicketObject = Type.Object(
  {
    ticket: Type.String({ description: 'For `/ws?ticket=…`. It counts once, and is told in this answer only.' }),
    expires_at: Time,
  },
  { $id: 'Ticket' },
);

export const TICKET_ROUTES = {
  issue: {
    tags: ['tickets'],
    summary: 'A one-time ticket to open a socket with',
    description:
      'For browsers, which cannot set headers on a WebSocket. It counts once, within half a minute. The socket speaks for whoever asked: the user of the token, the user whom X-User-ID names beside a key with act_as, or the key itself. It may at most what a socket needs, and ends when the token or the key does.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 201: reference(TicketObject), ...ERRORS_OF_ROUTES },
  },
} as const;

export const TICKET_PARTS = [TicketObject];

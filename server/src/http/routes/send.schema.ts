import Type from 'typebox';
import {
  ERRORS_OF_ROUTES,
  NO_QUERY,
  NullableString,
  NullableTime,
  Reference,
  reference,
  StateWord,
  StatusWord,
} from '../schemas.ts';
import { IdempotencyHeader, MessageBody, OTHER_NAMES } from './messages.schema.ts';

/** The body of a synchronous send: sender-service's, and all that the canonical one may say. */
const SendBody = Type.Object(
  {
    ...MessageBody.properties,
    ...OTHER_NAMES,
    tenant_id: Type.Optional(
      Reference("The tenant it is sent for: the key's own, by own or external id. An operator's key may name any."),
    ),
    outlet_id: Type.Optional(Reference('The sender, by own or external id; `sender_id` by another name.')),
    conversation_id: Type.Optional(
      Reference(
        'What the conversation with this customer is called: an own or external id. One that is not known becomes its external id. It addresses nobody, and is given back.',
      ),
    ),
    message: Type.Optional(Type.String({ description: 'The text; `content.text` by another name.' })),
  },
  { additionalProperties: false, $id: 'SendBody' },
);

const SendAnswer = Type.Object(
  {
    message_id: Type.String(),
    whatsapp_message_id: NullableString,
    status: StatusWord,
    state: StateWord,
    sent_at: NullableTime,
    conversation_id: Type.String({ description: 'As it was given; else the one of ours.' }),
    warnings: Type.Array(Type.String()),
  },
  { $id: 'SendAnswer' },
);

export const ROUTE = {
  tags: ['messages'],
  summary: 'Send a message and wait until it is sent',
  description:
    'Accepts the message durably, at high priority, and waits for up to `messages.send_timeout`. 200 with `status` `sent` when WhatsApp has it (`state` may be further already); 500 `send_failed` when it has failed for good; 202 with its state when the time is over, and at once when its sender is stopped or it is scheduled for later: it goes on being sent then.',
  querystring: NO_QUERY,
  headers: IdempotencyHeader,
  body: SendBody,
  response: { 200: reference(SendAnswer), 202: reference(SendAnswer), ...ERRORS_OF_ROUTES },
} as const;

/** The parts that others refer to. */
export const SEND_PARTS = [SendBody, SendAnswer];

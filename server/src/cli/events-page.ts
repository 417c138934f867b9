import {
  type Audience,
  CONVERSATION_EVENTS,
  type ConversationEventType,
  EVENT_TYPES,
  type EventType,
  MESSAGE_EVENTS,
  type MessageEventType,
} from '../domain/event-catalogue.ts';
import { exampleOf } from '../domain/event-examples.ts';
import { EVENT_SCHEMAS, type JsonSchema } from '../domain/event-schemas.ts';
import { MessageObject } from '../http/message-view.ts';

/** The schema of the data of an event. */
export function schemaOf(type: EventType): JsonSchema {
  return type in MESSAGE_EVENTS ? MESSAGE : EVENT_SCHEMAS[type as ConversationEventType];
}

/** Events tell a message as it was then, without what is only true now. */
const { held: _now, ...told } = MessageObject.properties;
const MESSAGE = JSON.parse(
  JSON.stringify({ ...MessageObject, $id: undefined, properties: told, additionalProperties: false }),
) as JsonSchema;

const WHO: Record<Audience, string> = {
  participants: 'participants',
  user: 'one user',
  nobody: 'software only',
};

/** Every type of event: what it tells, to whom, its schema and an example. */
export function eventsPage(): string {
  const types = EVENT_TYPES.map((type) => {
    const { about, audience } = catalogued(type);
    return `| [\`${type}\`](#${type.replace('.', '')}) | ${about} | ${WHO[audience]} |`;
  });
  const messages = (Object.keys(MESSAGE_EVENTS) as MessageEventType[]).map(
    (type) => `### ${type}\n\n${MESSAGE_EVENTS[type]}\n\n${block(exampleOf(type))}`,
  );
  const others = (Object.keys(CONVERSATION_EVENTS) as ConversationEventType[]).map(
    (type) =>
      `### ${type}\n\n${CONVERSATION_EVENTS[type].about}\n\n${block(exampleOf(type))}\n\nSchema of \`data\`:\n\n${block(EVENT_SCHEMAS[type])}`,
  );
  return `# Events

Everything that happens is written into one log of its tenant, in the transaction that did it. \`GET /api/v1/events\`, sockets, webhooks and
Kafka tell the same events with the same \`id\`s.

- **\`id\`** is the same wherever an event is told. Deliveries by webhooks and Kafka may repeat one: keep the ids you have seen.
- **\`cursor\`** is the place after an event, opaque, and of this tenant only. \`GET /api/v1/events?after=CURSOR\` reads on from there: \`limit\` up to
  1000, \`wait\` up to 30 seconds until there is one. \`after=now\` is the end of the log; without \`after\` it begins at the first event that is kept.
- **\`prev\`** is the cursor of the event before it among those that were asked for. An unbroken chain proves that none is missing.
- \`types=message.*,chat.created\` and \`conversation_id=ID\` leave others out; the chain is then that of the rest. Ask again with \`next_cursor\`,
  also when a page is empty: it has read on over what was left out.
- Events are kept for \`events.retention\` (30 days). A cursor before what is kept is answered 410 \`cursor_expired\`; one that is not of this tenant's
  log, 400 \`invalid_cursor\`.

A key with the scope \`events:read\` reads all events of its tenant. A request that speaks for a user (\`X-User-ID\`, or his token) reads what that user
may see: **participants** are the users who were in the conversation when it happened (from when they joined up to when they left); an
event for **one user** is seen by him alone; the rest is for **software only**. Typing and presence are no events: only sockets tell them.

\`\`\`sh
URL=http://127.0.0.1:8080 KEY=$(node -p 'require("./.aldis/credentials.json").api_key')      # in the project, after npm start

curl -s "$URL/api/v1/events?limit=5" -H "X-API-Key: $KEY"                              # the first that are kept
curl -s "$URL/api/v1/events?after=now&wait=30&types=chat.*" -H "X-API-Key: $KEY"       # the next that comes
\`\`\`

| Type | What happened | Who sees it |
|---|---|---|
${types.join('\n')}

## Of WhatsApp messages

\`data\` is the message as it was then: the schema \`Message\` of [openapi.json](openapi.json), without \`held\`. *sending* has no event: it lasts for one
call.

${messages.join('\n\n')}

## Of conversations

\`data\` has all there is to tell; it is not looked up.

An event with a \`conversation_id\` that you do not know yet tells of a conversation that is new to you: the first message to or from a customer
made it, or the user was added to it. Read it then by \`GET /api/v1/conversations/{id}\`; what changes of it from then on is told whole. A message
makes no \`conversation.created\`, so follow \`message.*\` too where you keep a list of all conversations; an \`external_id\` that a message gives to a
conversation that is there is \`conversation.updated\`.

${others.join('\n\n')}

This page is made of \`server/src/domain/event-catalogue.ts\`, \`event-schemas.ts\` and \`event-examples.ts\`.
`;
}

function catalogued(type: EventType): { about: string; audience: Audience } {
  if (type in MESSAGE_EVENTS) return { about: MESSAGE_EVENTS[type as MessageEventType], audience: 'participants' };
  return CONVERSATION_EVENTS[type as ConversationEventType];
}

function block(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
}

import { CLOSE_CODES, PROTOCOL_CODES } from '../../domain/close-codes.ts';
import { CLIENT_FRAMES, SERVER_FRAMES } from '../../domain/socket-frames.ts';

/** docs/websocket.md, made of the tables that the sockets themselves use. */
export function websocketPage(): string {
  return `${[
    '# The WebSocket',
    '<!-- Made by `npm run generate` of server/src/domain/socket-frames.ts and close-codes.ts. -->',
    OPENING,
    '## What the server tells',
    'Each frame is a JSON object in a text frame: `{"type", "payload"}`. Frames of events have `id`, `cursor` and `prev` beside these.',
    table(
      ['type', 'payload', 'event', ''],
      Object.entries(SERVER_FRAMES).map(([type, { payload, event, about }]) => [
        code(type),
        payload === null ? '' : code(payload),
        event ? 'yes' : '',
        about,
      ]),
    ),
    CHAIN,
    '## What a client sends',
    'The same shape: `{"type", "payload"}`. Fields in *italics* may be left out. A field that is not known is refused, as in requests.',
    ...Object.entries(CLIENT_FRAMES).map(([type, { about, payload }]) => clientFrame(type, about, payload)),
    REFUSED,
    '## How a socket is closed',
    'The ranges say what a client does: **4000 to 4199** connect again and resume; **4200 to 4499** the same, but with a new token, or after reading anew; **4500 to 4999** do not connect again by yourself. For any other code: connect again and resume, later and later.',
    table(
      ['code', 'reason', ''],
      [
        ...Object.entries(CLOSE_CODES).map(([name, { code: number, about }]) => [String(number), code(name), about]),
        ...PROTOCOL_CODES.map(({ code: number, about }) => [String(number), '', about]),
      ],
    ),
    EXAMPLE,
  ].join('\n\n')}\n`;
}

const OPENING = `A socket at \`/ws\`, on the server's own port, tells a user at once what happens in his conversations, on each of his devices, and takes
what he says. It needs the scope \`conversations:read\`, and \`conversations:write\` for whoever says or changes something. A socket of a key that
speaks for no user is the tenant's software: with \`events:read\` it is told every event.

| header | query | |
|---|---|---|
| \`Authorization\`, \`X-API-Key\` | \`ticket\` | Who asks: see [authentication](authentication.md). A browser, which can set no headers, takes a one-time ticket. |
| \`X-User-ID\` | | The user that a key with \`act_as\` speaks for. |
| \`X-Device-ID\` | \`device_id\` | The device, 1 to 128 characters. One is made up unless told. The same device again closes its older socket on the same instance. |
| \`X-Platform\`, \`X-App-Version\` | \`platform\`, \`app_version\` | Of the device, as it likes. |
| | \`after\` | The cursor of the last frame that was got: what was missed comes first. |
| \`Origin\` | | Of a page: the server's own, or one of \`server.cors_origins\`. |

Who may not open a socket is answered over HTTP, before it is open: 400, 401, 403, 429 (the tenant's rate; more than 20 sockets of a user on one instance) or
503 (more than \`ws.max_connections\`, or the instance stops), with the body of every error. A cursor that cannot be used closes the socket.
404 says that the header \`Upgrade: websocket\` did not arrive: a proxy in between has to pass it on.`;

const CHAIN = `\`cursor\` is the place of the event, \`prev\` the cursor of the event before it **on this socket**; the first event's is that of \`hello\`. So a client
knows that it has missed nothing: each \`prev\` is the last \`cursor\`. A client that was cut off connects with \`?after=CURSOR\`, is given what it missed in
the same order, then \`resumed\`, then what is new; nothing is missing and nothing comes twice. An event has the same \`id\` by REST, webhooks and Kafka.

A user sees the events of a conversation from when he joined until he left, that he left included; of receipts those of his own messages,
and how far he has read himself, on whichever device.
Typing and presence are no events: they reach whoever is there, and are not repeated. That users have gone because their instance died is told
some ten seconds after. Who shares no conversation with a user any more is told of him no more.

*Delivered* is told of a message when the device has proved that it came, by its next frame or its answer to a ping; without one the server
pings a second after it wrote. It pings every 20 s in any case, and drops a peer of which it hears nothing for 30 s.`;

const REFUSED = `### What is refused

Nothing of a refused frame is done. The answer is an \`error\` frame; the socket stays. Codes are those of [errors](errors.md): \`malformed_json\`,
\`missing_field\`, \`unknown_field\`, \`invalid_field\` (also for an unknown \`type\`), \`not_found\`, \`not_participant\`, \`cannot_send_messages\`, \`not_yours\`,
\`message_deleted\`, \`conversation_closed\`, \`forbidden\`, \`idempotency_mismatch\`, \`rate_limited\` with \`retry_after\` in seconds, and so on.

A socket may send \`ws.frames_per_second\` frames a second (twice as many at once), a user say or change something \`ws.says_per_second\` times,
and what a user does counts against the rate of his tenant as requests do. A client that goes on after 200 refusals is shut out (4502).
Typing is told at most once a second for each user and conversation. A socket may ask for the presence of 200 users.`;

const EXAMPLE = `## An example

In Node, with the package \`ws\` and a key in \`KEY\`. For browsers and Node there is [a client](client.md), which takes tickets, connects again, resumes
and says everything once.

\`\`\`javascript
import { WebSocket } from 'ws';

const ws = new WebSocket('ws://localhost:8080/ws', {
  headers: { 'X-API-Key': KEY, 'X-User-ID': 'ann', 'X-Device-ID': 'web-device-1' },
});
ws.on('open', () => console.log('Connected'));
ws.on('message', (data) => {
  const { type, payload } = JSON.parse(data);
  if (type !== 'new_message') return;
  console.log(payload.message.content);
  ws.send(JSON.stringify({ type: 'read_receipt', payload: { message_id: payload.message.id } }));
});
\`\`\``;

interface ShownField {
  kind: string;
  required?: true;
  nullable?: true;
  about: string;
}

const KINDS: Readonly<Record<string, string>> = {
  id: 'text, 1 to 128',
  text: 'text',
  flag: 'true or false',
  object: 'object',
  list: 'list',
  ids: 'list of texts, at most 200',
};

function clientFrame(type: string, about: string, payload: Readonly<Record<string, ShownField>>): string {
  const rows = Object.entries(payload).map(([name, { kind, required, nullable, about: meaning }]) => [
    required ? code(name) : `*${code(name)}*`,
    `${KINDS[kind] ?? kind}${nullable ? ', or null' : ''}`,
    meaning,
  ]);
  return [`### ${code(type)}`, about, ...(rows.length > 0 ? [table(['field', 'is', ''], rows)] : [])].join('\n\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

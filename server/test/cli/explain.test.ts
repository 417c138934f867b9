import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { describe } from '../../src/cli/explain-command.ts';
import { runAldis } from './run-aldis.ts';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const WAITING = {
  message_id: 'm1',
  state: 'queued',
  cause: { code: 'token_invalid', since: '2026-11-21T11:58:00.000Z', until: null, detail: 'x', provider_code: 190 },
  explanation: 'The queue stands still.',
  next: { what: 'probe', at: '2026-11-21T12:00:45.000Z' },
  advice: 'Give a new token.',
  uncertain: true,
  history: [
    {
      at: '2026-11-21T11:57:00.000Z',
      step: 'accepted',
      attempt: null,
      ended_at: null,
      outcome: null,
      source: null,
      code: null,
      detail: null,
    },
    {
      at: '2026-11-21T11:57:10.000Z',
      step: 'attempt',
      attempt: 1,
      ended_at: '2026-11-21T11:57:10.250Z',
      outcome: 'resend',
      source: null,
      code: 0,
      detail: 'cut',
    },
    {
      at: '2026-11-21T11:58:10.250Z',
      step: 'decision',
      attempt: 1,
      ended_at: null,
      outcome: 'resend',
      source: 'policy',
      code: null,
      detail: 'no receipt came',
    },
  ],
};

test('an explanation, for a person', () => {
  assert.equal(
    describe(WAITING, NOW),
    `queued: token_invalid
The queue stands still.

since             2026-11-21T11:58:00.000Z (2 minutes ago)
next              one message is let through, to see whether the others can follow: 2026-11-21T12:00:45.000Z (in 45 seconds)
you can           Give a new token.
may have arrived  yes: nobody knows what came of an attempt
WhatsApp's code   190

history
  2026-11-21T11:57:00.000Z  accepted
  2026-11-21T11:57:10.000Z  attempt 1  resend  after 250 ms  cut
  2026-11-21T11:58:10.250Z  decision  resend  by policy  no receipt came`,
  );
  const read = {
    state: 'read',
    cause: null,
    explanation: 'The customer has seen it.',
    next: null,
    advice: null,
    uncertain: false,
  };
  assert.equal(describe(read, NOW), 'read\nThe customer has seen it.');
  const sending = { ...read, state: 'sending', cause: { code: 'sending', since: null, provider_code: null } };
  assert.match(describe(sending, NOW), /^sending\n/);
});

test('explain asks the server, prints JSON when asked, and says what is refused', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isKnown = request.url?.includes('/m1/');
    response
      .writeHead(isKnown ? 200 : 404)
      .end(JSON.stringify(isKnown ? WAITING : { error: 'not_found', message: 'none' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const aldis = (...args: string[]) => runAldis(args, { ALDIS_URL: url, ALDIS_API_KEY: 'aldis_k' }).ended;
  try {
    const text = await aldis('explain', 'm1');
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^queued: token_invalid\n/);
    assert.deepEqual(JSON.parse((await aldis('explain', 'm1', '--json')).stdout), WAITING);
    const none = await aldis('explain', 'x/../y');
    assert.equal(none.code, 4);
    assert.deepEqual(asked.at(-1), 'GET /api/v1/messages/x%2F..%2Fy/explain');
    assert.equal((await aldis('explain')).code, 2);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

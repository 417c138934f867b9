import { randomUUIDv7 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Fastify from 'fastify';
import pg from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { batcher } from '../life/batcher.ts';

/**
 * The floor of a conversation's message: accepted, stored with its number, its event and the author's mark, and framed to those who are in
 * the conversation, as soon as it is committed, from memory. One tenant; who may say what is not checked, nobody tells what came to him,
 * and whoever was away has missed it.
 *
 * usage: server.ts --database URL. Prints `chat ready http://127.0.0.1:PORT`.
 */
const { values: options } = parseArgs({ options: { database: { type: 'string' } } });
if (!options.database) throw new Error('the floor needs --database');

const TENANT = '00000000-0000-7000-8000-000000000001';
const pool = new pg.Pool({
  connectionString: options.database,
  max: 8,
  options: '-c timezone=UTC -c plan_cache_mode=force_generic_plan',
});
await pool.query(readFileSync(new URL('schema.sql', import.meta.url), 'utf8'));

const peopleOf = new Map<string, string[]>();
const socketsOf = new Map<string, WebSocket[]>();

const makes = batcher<{ id: string; users: string[] }>(200, 1, async (all) => {
  await pool.query({
    name: 'make',
    text: `
with v as (insert into conversations (tenant, id, last_seq, last_at) select $1, id, 0, now() from unnest($2::uuid[]) id)
insert into participants (tenant, conversation, user_id, read_seq) select $1, c, u, 0 from unnest($3::uuid[], $4::text[]) as p(c, u)`,
    values: [
      TENANT,
      all.map(({ id }) => id),
      all.flatMap(({ id, users }) => users.map(() => id)),
      all.flatMap(({ users }) => users),
    ],
  });
  for (const { id, users } of all) peopleOf.set(id, users);
});

interface Said {
  id: string;
  conversation: string;
  user: string;
  content: string;
}

const says = batcher<Said>(200, 1, async (all) => {
  const { rows } = await pool.query<{ seq: number; at: Date }>({
    name: 'say',
    text: `
with i as materialized (
  select * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[]) with ordinality
    as i(id, conversation, user_id, content, event, place)
), n as materialized (
  select i.*, v.last_seq + row_number() over (partition by conversation order by place) as seq
  from i join conversations v on v.tenant = $1 and v.id = i.conversation
), v as (
  update conversations v set last_seq = g.seq, last_at = now()
  from (select conversation, max(seq) as seq from n group by 1) g where v.tenant = $1 and v.id = g.conversation
), p as (
  update participants p set read_seq = g.seq, read_at = now()
  from (select conversation, user_id, max(seq) as seq from n group by 1, 2) g
  where p.tenant = $1 and p.conversation = g.conversation and p.user_id = g.user_id
), m as (
  insert into messages (tenant, id, conversation, seq, user_id, content, created_at)
  select $1, id, conversation, seq, user_id, content, now() from n
), e as (
  insert into events (tenant, id, type, conversation, data)
  select $1, event, 'chat.created', conversation, jsonb_build_object('id', id, 'seq', seq, 'user_id', user_id, 'content', content) from n
)
select seq::int, now() as at from n order by place`,
    values: [
      TENANT,
      all.map(({ id }) => id),
      all.map(({ conversation }) => conversation),
      all.map(({ user }) => user),
      all.map(({ content }) => content),
      all.map(() => randomUUIDv7()),
    ],
  });
  for (const [i, { id, conversation, user, content }] of all.entries()) {
    const message = {
      id,
      conversation_id: conversation,
      seq: rows[i]?.seq,
      user_id: user,
      content,
      created_at: rows[i]?.at,
    };
    const frame = JSON.stringify({ type: 'new_message', payload: { message } });
    for (const one of peopleOf.get(conversation) ?? [])
      for (const socket of socketsOf.get(one) ?? []) socket.send(frame);
  }
});

const app = Fastify({ logger: false });

app.post<{ Body: { participants: { user_id: string }[] } }>('/api/v1/conversations', async ({ body }, reply) => {
  const id = randomUUIDv7();
  await makes.add({ id, users: body.participants.map(({ user_id }) => user_id) });
  reply.code(201);
  return { id };
});

app.post<{ Body: { conversation_id: string; content: string } }>(
  '/api/v1/messages',
  {
    schema: {
      body: {
        type: 'object',
        required: ['conversation_id', 'content'],
        additionalProperties: false,
        properties: {
          conversation_id: { type: 'string', maxLength: 128 },
          content: { type: 'string', maxLength: 4096 },
        },
      },
      response: { 202: { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } } },
    },
  },
  async ({ body, headers }, reply) => {
    const id = randomUUIDv7();
    await says.add({
      id,
      conversation: body.conversation_id,
      user: String(headers['x-user-id']),
      content: body.content,
    });
    reply.code(202);
    return { id, status: 'sent' };
  },
);

const url = await app.listen({ host: '127.0.0.1', port: 0 });
const sockets = new WebSocketServer({ server: app.server, perMessageDeflate: false });
sockets.on('connection', (socket, request) => {
  const user = String(request.headers['x-user-id']);
  socketsOf.set(user, [...(socketsOf.get(user) ?? []), socket]);
  socket.on('error', () => {});
});
process.on('SIGTERM', () => process.exit(0));
console.log(`chat ready ${url}`);

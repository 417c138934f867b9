import Fastify from 'fastify';

/**
 * The least a Fastify route can do with the same request: check its shape and answer. What the HTTP work alone allows.
 * Prints `bare ready http://127.0.0.1:PORT`.
 */
const app = Fastify({ logger: false });

app.post(
  '/api/v1/messages',
  {
    schema: {
      body: {
        type: 'object',
        required: ['recipient_phone', 'sender_id', 'content'],
        properties: {
          recipient_phone: { type: 'string', pattern: '^\\+[1-9]\\d{6,14}$' },
          sender_id: { type: 'string', maxLength: 128 },
          content: { type: 'object', required: ['text'], properties: { text: { type: 'string', maxLength: 4096 } } },
          scheduled_at: { type: 'string' },
        },
      },
      response: { 202: { type: 'object', properties: { id: { type: 'string' }, status: { type: 'string' } } } },
    },
  },
  async (_, reply) => {
    reply.code(202);
    return { id: '01900000-0000-7000-8000-000000000000', status: 'queued' };
  },
);

process.on('SIGTERM', () => process.exit(0));
console.log(`bare ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);

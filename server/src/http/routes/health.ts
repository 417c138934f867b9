import Type from 'typebox';
import type { HttpDeps } from '../http-deps.ts';
import { words } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';

const COUNT = Type.Integer();

const HealthAnswer = Type.Object({
  status: words(['healthy', 'degraded']),
  service: Type.String(),
  version: Type.String(),
  environment: Type.String(),
  metrics: Type.Object({
    active_batches: Type.Integer(),
    circuit_breaker_state: words(['closed', 'half_open', 'open']),
  }),
  pauses: Type.Object(
    { country: COUNT, sender: COUNT, account: COUNT, app: COUNT, provider: COUNT },
    { description: 'How many queues stand still, by what they are of. See /api/v1/pauses.' },
  ),
  redis: words(['off', 'ok', 'away'], {
    description: 'While it is away everything works, some of it later, and each instance counts requests for itself.',
  }),
  kafka: words(['off', 'ok', 'away'], {
    description:
      '`away`: its brokers took nothing from this instance lately. Events wait in the log, and nothing is lost.',
  }),
});

const ReadyAnswer = Type.Object({
  status: words(['ready', 'not_ready']),
  checks: Type.Record(Type.String(), Type.String(), { description: '`ok`, or what is wrong.' }),
});

/** Whether the process lives, and whether requests should come to it. */
export function healthRoutes(app: HttpApp, { health, ready }: HttpDeps): void {
  const tags = ['operation'];

  app.get(
    '/health',
    { schema: { tags, summary: 'Alive: 200 while the process lives', response: { 200: HealthAnswer } } },
    async () => health(),
  );

  app.get(
    '/ready',
    {
      schema: { tags, summary: 'Ready: 503 when it cannot work', response: { 200: ReadyAnswer, 503: ReadyAnswer } },
    },
    async (_request, reply) => {
      const { ready: yes, checks } = await ready();
      return reply.code(yes ? 200 : 503).send({ status: yes ? 'ready' : 'not_ready', checks });
    },
  );
}

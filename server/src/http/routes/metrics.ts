import Type from 'typebox';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp } from '../typebox-provider.ts';

/** The metrics for Prometheus. They need a key unless the settings say otherwise. */
export function metricsRoutes(app: HttpApp, { keys, metrics, settings }: HttpDeps): void {
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['operation'],
        summary: 'Metrics in the text format of Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
      ...(settings.metrics_public ? {} : { onRequest: guard(keys, 'metrics:read') }),
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  );
}

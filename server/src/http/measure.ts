import type { onResponseHookHandler } from 'fastify';
import type { Metrics } from '../runtime/metrics.ts';

/**
 * Counts the answers of one route and how long they took. Runs with every request, so its labels are made once for each
 * status.
 */
export function measureRoute(
  { httpRequests, httpDuration }: Pick<Metrics, 'httpRequests' | 'httpDuration'>,
  method: string,
  route: string,
): onResponseHookHandler {
  const ofRoute = { route };
  const byStatus = new Map<number, { method: string; route: string; status: string }>();
  return (_request, reply, done) => {
    const { statusCode } = reply;
    let labels = byStatus.get(statusCode);
    if (labels === undefined) {
      labels = { method, route, status: String(statusCode) };
      byStatus.set(statusCode, labels);
    }
    httpRequests.add(1, labels);
    httpDuration.observe(reply.elapsedTime / 1000, ofRoute);
    done();
  };
}

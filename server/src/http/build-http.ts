import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import fastify from 'fastify';
import { AldisError } from '../domain/errors.ts';
import { allowOrigins } from './cors.ts';
import { speakDialects } from './dialect-edge.ts';
import { answerError, answerNoRequest, createErrorHandler } from './errors.ts';
import type { HttpDeps } from './http-deps.ts';
import { acceptJsonBodies } from './json-body.ts';
import { lazySerializers } from './lazy-serializers.ts';
import { measureRoute } from './measure.ts';
import { gateAccepting } from './quota-gate.ts';
import { registerRoutes } from './routes/all-routes.ts';
import { limitWriting, transportOptions } from './transport.ts';
import type { HttpApp, TypeBoxProvider } from './typebox-provider.ts';

/**
 * Builds the door: an application that is not listening yet. Closing it lets requests that are under way end, answers those
 * that still come on open connections, and lets long polls go.
 */
export function buildHttp(deps: HttpDeps): HttpApp {
  const { settings, metrics } = deps;
  const app: HttpApp = fastify({
    ...VALIDATION,
    schemaController: { compilersFactory: { buildSerializer: lazySerializers } },
    ...transportOptions(settings.transport, settings.request_timeout, deps.sockets),
    bodyLimit: settings.body_limit,
    requestTimeout: settings.request_timeout,
    keepAliveTimeout: settings.keep_alive_timeout,
    // A keep-alive connection that a balancer still uses is served to the end; idle ones are closed.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    genReqId: createRequestIds(),
    frameworkErrors: (error, request, reply) => {
      // No hook has run for what is no path at all.
      reply.header('x-request-id', request.id);
      onError(error, request, reply);
    },
    clientErrorHandler: answerNoRequest,
  }).withTypeProvider<TypeBoxProvider>();
  const onError = createErrorHandler(deps);

  if (deps.sockets) app.server.on('upgrade', deps.sockets.take);
  app.decorateRequest('principal', null);
  app.decorateRequest('bodyHash', null);
  app.setErrorHandler(onError);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]?.slice(0, 200);
    const text = path === '/ws' ? NO_UPGRADE : `There is no ${request.method} ${path}.`;
    metrics.httpRequests.add(1, { method: request.method, route: 'none', status: '404' });
    answerError(new AldisError('not_found', text), request, reply);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  allowOrigins(app, settings.transport.cors_origins);
  limitWriting(app, settings.transport);
  // What is still answered while closing is the last of its connection; left open, it would hold the end up until it is idle for
  // long enough.
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onRoute', (route) => {
    route.onResponse = measureRoute(metrics, String(route.method), route.url);
  });
  speakDialects(app);
  acceptJsonBodies(app);
  registerRoutes(app, deps.quota ? gateAccepting(deps, deps.quota) : deps);
  return app;
}

/** How requests are validated: nothing is dropped or converted in silence. */
export const VALIDATION = {
  ajv: {
    customOptions: {
      coerceTypes: false,
      removeAdditional: false,
      useDefaults: true,
      allowUnionTypes: true,
      // A flaw then brings the fields there are, for "did you mean".
      verbose: true,
    },
  },
} as const;

const SANE_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** A request's id: the caller's own if it is fit to stand in a log, else ours: one drawing a process, then a number. */
function createRequestIds(): (request: Pick<IncomingMessage, 'headers'>) => string {
  const prefix = randomBytes(6).toString('base64url');
  let last = 0;
  return ({ headers }) => {
    const given = headers['x-request-id'];
    return typeof given === 'string' && SANE_ID.test(given) ? given : `${prefix}-${(++last).toString(36)}`;
  };
}

/** What comes by a proxy that passes the header on is taken before any route is looked for. */
const NO_UPGRADE =
  '/ws is for WebSockets, and the request has no header Upgrade: websocket. A proxy in between has to pass it on.';

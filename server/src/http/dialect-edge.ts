import type { preValidationHookHandler, RouteOptions } from 'fastify';
import type { Dialect } from '../access/principal.ts';
import { AldisError, type ErrorBody } from '../domain/errors.ts';
import { answerInQueue, errorInQueue } from './dialects/queue-answer.ts';
import { queryFromQueue, requestFromQueue } from './dialects/queue-request.ts';
import { type FindSchema, propertiesOf, type Shape, shapeOf } from './dialects/shape.ts';
import { createSpelling, type Spelling, spellingOf } from './dialects/spelling.ts';
import { BatchBody, BatchEnvelope } from './routes/batches.schema.ts';
import type { HttpApp, HttpReply, HttpRequest } from './typebox-provider.ts';

const HEADER = 'x-api-case';
const PREFIX = '/api/';

/**
 * Lets every route of the API be asked, and answer, in either dialect; to be called before the routes are registered. Which
 * one an answer is in the header `X-API-Case` says (`camel` or `snake`), else the request's own spelling, else the key. A
 * request is read as it is spelled itself. A canonical one of a canonical key costs a look at its names, and no more.
 */
export function speakDialects(app: HttpApp): void {
  const spelling = createSpelling();
  // queue-service has it beside the content, not in it.
  spelling.add(['media_url']);
  const find: FindSchema = (id) => app.getSchema(id);
  app.decorate('spelling', spelling);
  app.decorateRequest('spoken', null);
  app.addHook('onRoute', (route) => {
    if (!route.url.startsWith(PREFIX)) return;
    spelling.add(propertiesOf(bodyOf(route), find).keys());
    spelling.add(propertiesOf(route.schema?.querystring, find).keys());
    route.preValidation = [gate(route, spelling, find), ...[route.preValidation ?? []].flat()];
  });
}

/** Before a request is validated: whether it needs a dialect at all, and the way in and out of one. */
function gate(route: RouteOptions, spelling: Spelling, find: FindSchema): preValidationHookHandler {
  let shapes: { body: Shape | null; query: Shape | null } | undefined;
  const { camel } = spelling;
  return (request, reply, done) => {
    const { headers, principal } = request;
    if (
      headers[HEADER] === undefined &&
      principal?.dialect !== 'queue' &&
      !hasName(camel, request.body) &&
      !hasName(camel, request.query)
    ) {
      done();
      return;
    }
    try {
      const own = spellingOf(spelling, request.query, request.body);
      const spoken = asked(request) ?? (own === null ? (principal?.dialect ?? 'aldis') : DIALECT_OF[own]);
      request.spoken = spoken;
      if (spoken === 'queue') answerIn(request, reply, spelling);
      if ((own === null ? spoken : DIALECT_OF[own]) === 'queue') {
        shapes ??= { body: shapeOf(bodyOf(route), find), query: shapeOf(route.schema?.querystring, find) };
        request.query = queryFromQueue(shapes.query, spelling, request.query);
        request.body = requestFromQueue(shapes.body, spelling, request.body);
      }
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // Outside the try: what is thrown further on is no error of ours.
    done();
  };
}

/** Before an error is answered: whether it needs a dialect, if it was thrown before that was found out. */
export function speakInError(request: HttpRequest, reply: HttpReply): void {
  if (request.spoken || !request.url.startsWith(PREFIX)) return;
  const { spelling } = request.server;
  if (spelling === undefined) return;
  const header = request.headers[HEADER];
  const spoken =
    header === 'camel' ||
    (header !== 'snake' && (request.principal?.dialect === 'queue' || hasName(spelling.camel, request.query)));
  if (spoken) answerIn(request, reply, spelling);
}

const DIALECT_OF: Readonly<Record<'camel' | 'snake', Dialect>> = { camel: 'queue', snake: 'aldis' };

/** The dialect that the header asks for, or null without one. */
function asked({ headers }: HttpRequest): Dialect | null {
  const word = headers[HEADER];
  if (word === undefined) return null;
  if (word === 'camel' || word === 'snake') return DIALECT_OF[word];
  throw new AldisError('invalid_field', 'X-API-Case must be camel or snake.', { field: 'X-API-Case' });
}

/** Has this reply written in queue-service's dialect, from what it would have been in ours. */
function answerIn(request: HttpRequest, reply: HttpReply, spelling: Spelling): void {
  reply.serializer((payload: unknown) => {
    const { statusCode } = reply;
    reply.type('application/json; charset=utf-8');
    const write =
      reply.getSerializationFunction(String(statusCode)) ??
      reply.getSerializationFunction(`${String(statusCode)[0] ?? ''}xx`) ??
      JSON.stringify;
    const ours: unknown = JSON.parse(write(payload));
    if (statusCode >= 400) return JSON.stringify(errorInQueue(ours as ErrorBody, { spelling }));
    const tenant = request.principal?.tenant_id ?? null;
    const route = `${request.method} ${request.routeOptions.url ?? ''}`;
    return JSON.stringify(answerInQueue(ours, { tenant, route, status: statusCode, asked: request.body, spelling }));
  });
}

/** The items of a batch are validated one by one, by the schema they are documented with. */
function bodyOf({ schema }: RouteOptions): unknown {
  return schema?.body === BatchEnvelope ? BatchBody : schema?.body;
}

/** Whether an object has one of these names at its top. */
function hasName(names: ReadonlyMap<string, string>, object: unknown): boolean {
  if (typeof object !== 'object' || object === null || ArrayBuffer.isView(object)) return false;
  for (const name in object) if (names.has(name)) return true;
  return false;
}

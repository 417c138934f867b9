import type { Socket } from 'node:net';
import type { FastifyError } from 'fastify';
import { AldisError, errorBody } from '../domain/errors.ts';
import { speakInError } from './dialect-edge.ts';
import type { HttpDeps } from './http-deps.ts';
import { mayTakeLonger } from './slow-uploads.ts';
import type { HttpReply, HttpRequest } from './typebox-provider.ts';
import { validationError } from './validation.ts';

/** Seconds after which it is worth trying again when nothing better is known. */
const SOON = 1;

/** Answers whatever a route, a hook or the framework throws, in the one shape that errors have. */
export function createErrorHandler({ logger, troubleOf }: Pick<HttpDeps, 'logger' | 'troubleOf'>) {
  return (error: unknown, request: HttpRequest, reply: HttpReply): void => {
    const known = knownError(error, troubleOf);
    if (known.status >= 500) {
      const ids = { request_id: request.id, tenant_id: request.principal?.tenant_id };
      const { method, ip: client } = request;
      const about = { ...ids, method, client, route: request.routeOptions.url, code: known.code, err: error };
      if (known.code === 'internal') logger.error(about, 'a request failed');
      else logger.warn(about, 'a request was turned away');
    }
    answerError(known, request, reply);
  };
}

/** Answers one of our errors. */
export function answerError(error: AldisError, request: HttpRequest, reply: HttpReply): void {
  if (error.status === 401 && error.code === 'unauthorized') reply.header('www-authenticate', challengeOf(error));
  if (error.retryAfter !== null) reply.header('retry-after', error.retryAfter);
  speakInError(request, reply);
  reply.code(error.status).type('application/json; charset=utf-8').send(errorBody(error, request.id));
}

/** How one may say who one is (RFC 6750, 3): of a token also why it is refused. Our texts have no quotes. */
function challengeOf({ details, message }: AldisError): string {
  const why = details?.['reason'] === undefined ? '' : `, error="invalid_token", error_description="${message}"`;
  return `Bearer realm="aldis"${why}`;
}

/** What the framework calls its refusals, in our words. */
const FRAMEWORK: Readonly<Record<string, () => AldisError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AldisError('payload_too_large', undefined, { field: 'body' }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new AldisError('unsupported_media_type', undefined, { field: 'Content-Type' }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new AldisError('bad_request', 'The body is not as long as Content-Length says.', { field: 'Content-Length' }),
  FST_ERR_BAD_URL: () => new AldisError('not_found', 'The path is not validly encoded.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new AldisError('not_found'),
};

function knownError(error: unknown, troubleOf: HttpDeps['troubleOf']): AldisError {
  if (error instanceof AldisError) return error;
  const trouble = troubleOf(error);
  if (trouble) return new AldisError(trouble, undefined, { retryAfter: SOON });
  if (!isFastifyError(error)) return new AldisError('internal');
  const [flaw] = error.validation ?? [];
  if (flaw) return validationError(flaw, error.validationContext ?? 'body');
  const make = FRAMEWORK[error.code];
  if (make) return make();
  // A body that was cut off, and the like: theirs, not ours.
  return error.statusCode !== undefined && error.statusCode < 500
    ? new AldisError('bad_request')
    : new AldisError('internal');
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && ('statusCode' in error || 'validation' in error || 'code' in error);
}

/** Answers what is no HTTP at all, or takes too long to arrive. There is no request yet, so no id either. */
export function answerNoRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && mayTakeLonger(socket)) return;
  const known = new AldisError(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'bad_request');
  const line =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  const body = JSON.stringify(errorBody(known, ''));
  socket.end(
    `HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

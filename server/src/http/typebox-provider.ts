import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Dialect, Principal } from '../access/principal.ts';
import type { Spelling } from './dialects/spelling.ts';

/** Gives handlers the types of their route's schemas. */
export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** The application as routes see it. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;
export type { FastifyReply as HttpReply, FastifyRequest as HttpRequest };

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Set by the guard of routes that have one. */
    principal: Principal | null;
    /** SHA-256 of the body as it came, when an Idempotency-Key came with it. */
    bodyHash: Buffer | null;
    /** The dialect that this request is answered in, once it is known; null when nothing asked for one. */
    spoken: Dialect | null;
  }
  interface FastifyInstance {
    /** The names of all requests, in both spellings. Absent where the application is only described. */
    spelling?: Spelling;
  }
}

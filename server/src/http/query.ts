import type { preValidationHookHandler } from 'fastify';
import type { TSchema } from 'typebox';

/**
 * In a query everything is a string. This makes numbers of those that the schema calls integers, and of nothing else: bodies
 * are never converted, so that a wrong type there is an error.
 */
export function integersOf(schema: TSchema & { properties: Record<string, TSchema> }): preValidationHookHandler {
  const names = Object.entries(schema.properties).flatMap(([name, property]) =>
    'type' in property && property.type === 'integer' ? [name] : [],
  );
  return (request, _reply, done) => {
    const query = request.query as Record<string, unknown>;
    for (const name of names) {
      const value = query[name];
      if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) query[name] = Number(value);
    }
    done();
  };
}

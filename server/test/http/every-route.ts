import fastify, { type RouteOptions } from 'fastify';
import { VALIDATION } from '../../src/http/build-http.ts';
import { type FindSchema, isObject } from '../../src/http/dialects/shape.ts';
import { DESCRIBED } from '../../src/http/documents.ts';
import { registerRoutes } from '../../src/http/routes/all-routes.ts';
import type { HttpApp, TypeBoxProvider } from '../../src/http/typebox-provider.ts';

/** A route as it is registered: `POST /api/v1/contacts/:id/consent`. */
export interface Route {
  name: string;
  method: string;
  url: string;
  body: unknown;
  querystring: unknown;
  find: FindSchema;
}

/** Every route there is, taken from the application itself: a new one is held to what is tested of all as soon as it is there. */
export async function everyRoute(): Promise<Route[]> {
  const app: HttpApp = fastify({ ...VALIDATION, exposeHeadRoutes: false }).withTypeProvider<TypeBoxProvider>();
  app.decorateRequest('principal', null);
  app.decorateRequest('bodyHash', null);
  const routes: Route[] = [];
  const parts = new Map<string, unknown>();
  app.addHook('onRoute', ({ method, url, schema = {} }: RouteOptions) => {
    const { body, querystring } = schema as { body?: unknown; querystring?: unknown };
    for (const one of [method].flat()) {
      routes.push({ name: `${one} ${url}`, method: one, url, body, querystring, find: (id) => parts.get(id) });
    }
  });
  registerRoutes(app, DESCRIBED);
  await app.ready();
  for (const [id, part] of Object.entries(app.getSchemas())) parts.set(id, part);
  await app.close();
  return routes;
}

/** The fields of a schema by their paths, `content.reaction.message_id`; lists are gone into by their first item. */
export function fieldsOf(schema: unknown, find: FindSchema, above: readonly string[] = []): string[][] {
  if (!isObject(schema) || above.length > 4) return [];
  const { $ref, properties, items } = schema;
  if (typeof $ref === 'string') return fieldsOf(find($ref.replace(/#$/, '')), find, above);
  const inItems = items === undefined ? [] : fieldsOf(items, find, [...above, '0']);
  if (!isObject(properties)) return inItems;
  return Object.entries(properties).flatMap(([name, part]) => {
    const path = [...above, name];
    const below = fieldsOf(part, find, path);
    return below.length > 0 ? below : [path];
  });
}

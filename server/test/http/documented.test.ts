import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { openapiDocument } from '../../src/http/documents.ts';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/*
 * What must hold of every route, asked of each that the document names: a new one is held to it as soon as it is documented.
 */
interface Route {
  method: string;
  path: string;
  /** Names of the parameters that are ids of the tenant's records. */
  ids: string[];
  /** What has to stand in the query. */
  query: Record<string, string>;
  /** The smallest body whose shape is right, in JSON. */
  body: string | null;
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  pattern?: string;
  format?: string;
  required?: string[];
  properties?: Record<string, Schema>;
  minProperties?: number;
  minItems?: number;
  items?: Schema;
}

interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
        requestBody?: { content: Record<string, { schema: Schema }> };
      }
    >
  >;
  components: { schemas: Record<string, Schema> };
}

let world: DoorWorld;
let customer: Customer;
let routes: Route[];
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
  const { paths, components } = JSON.parse(await openapiDocument()) as Document;
  const find = (schema: Schema) => (schema.$ref ? components.schemas[schema.$ref.split('/').at(-1) ?? ''] : undefined);
  routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters = [], requestBody }]) => {
      const ids = parameters.filter(({ name }) => name === 'id' || name.endsWith('_id')).map(({ name }) => name);
      return {
        method: method.toUpperCase(),
        path,
        ids,
        query: Object.fromEntries(
          parameters
            .filter((one) => one.in === 'query' && one.required)
            .map(({ name, schema }) => [name, String(smallest(schema ?? {}, find))]),
        ),
        body: requestBody
          ? JSON.stringify(smallest(requestBody.content['application/json']?.schema ?? {}, find))
          : null,
      };
    }),
  );
});
after(() => world.close());

const TIME = '2026-12-01T15:00:00Z';
const STRINGS = ['x', 'en', '12345678', '+6281234567890', 'https://a.example/', TIME];

/** The least that a schema takes. */
function smallest(schema: Schema, find: (schema: Schema) => Schema | undefined): unknown {
  const { type, enum: words, pattern, required = [], properties = {}, minProperties = 0, minItems = 0, items } = schema;
  const named = find(schema);
  if (named) return smallest(named, find);
  if (words) return words[0];
  if (schema.format === 'date-time') return TIME;
  switch ([type].flat()[0]) {
    case 'string':
      return STRINGS.find((text) => pattern === undefined || new RegExp(pattern).test(text)) ?? 'x';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: minItems }, () => smallest(items ?? {}, find));
    default: {
      const others = Object.keys(properties).filter((name) => !required.includes(name));
      const given = [...required, ...others.slice(0, Math.max(0, minProperties - required.length))];
      return Object.fromEntries(given.map((name) => [name, smallest(properties[name] ?? {}, find)]));
    }
  }
}

/** Asks a route with these ids. */
async function ask({ method, path, body }: Route, key: string | null, ids: Record<string, string> = {}) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? (name === 'app' ? 'default' : newId()));
  const query = new URLSearchParams(Object.entries(ids).filter(([name]) => !path.includes(`{${name}}`)));
  const response = await fetch(`${world.url}${filled}${query.size > 0 ? `?${query}` : ''}`, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const isGuarded = ({ path }: Route) => path.startsWith('/api/') || path === '/metrics';

test('every documented route is there', async () => {
  assert.ok(routes.length >= 16, `${routes.length} routes`);
  for (const route of routes) {
    const { status, text } = await ask(route, customer.key);
    assert.ok(status < 500, `${route.method} ${route.path}: ${status}`);
    assert.doesNotMatch(text, /There is no (GET|POST) /, `${route.method} ${route.path}`);
  }
});

test('every route that is not public needs a key, and of it the right to ask this', async () => {
  const powerless = await world.keyFor(customer.tenant, []);
  for (const route of routes.filter(isGuarded)) {
    const name = `${route.method} ${route.path}`;
    assert.equal((await ask(route, null)).status, 401, name);
    assert.equal((await ask(route, newId())).status, 401, name);
    assert.equal((await ask(route, powerless)).status, 403, name);
  }
});

test("every route that takes an id answers another tenant's as one that never was", async () => {
  const { body: batch } = await customer.post('/api/v1/messages/batch', {
    messages: [{ to: newPhone(), content: { text: 'x' } }],
  });
  const [message] = batch.messages;
  assert.ok(message);
  const { sender_id, contact_id, conversation_id } = await customer.read(message.id);
  const stranger = await world.customer();
  const foreign = { sender_id, contact_id, conversation_id, batch_id: batch.batch_id };
  const before = await customer.get('/api/v1/messages');
  const withoutRequest = (text: string) => text.replace(/"request_id":"[^"]*"/, '');
  let asked = 0;
  for (const route of routes.filter(isGuarded)) {
    // A user's id is the asker's own word, and names no record.
    if (route.path.startsWith('/api/v1/users/')) continue;
    for (const name of route.ids) {
      const id =
        name !== 'id'
          ? (foreign[name as keyof typeof foreign] ?? customer.tenant)
          : route.path.includes('/batches/')
            ? batch.batch_id
            : message.id;
      const answer = await ask(route, stranger.key, { [name]: id });
      const none = await ask(route, stranger.key, { [name]: newId() });
      assert.equal(answer.status, none.status, `${route.method} ${route.path} ${name}`);
      assert.equal(withoutRequest(answer.text), withoutRequest(none.text), `${route.method} ${route.path} ${name}`);
      // To name a tenant, or to ask at all, may be an operator's alone; and some ids are none of ours, and look otherwise.
      const isOther = answer.status === 400 && answer.text.includes(`"field":"${name}"`);
      assert.ok([403, 404].includes(answer.status) || isOther || /^\{"\w+":\[\]/.test(answer.text), answer.text);
      asked++;
    }
  }
  assert.ok(asked >= 9, `${asked} ids`);
  assert.deepEqual((await customer.get('/api/v1/messages')).body, before.body);
});

test('a request sends or does nothing: what a route does not know is refused on each', async () => {
  const operator = await world.keyFor(customer.tenant, ['admin']);
  for (const route of routes.filter(({ path }) => path.startsWith('/api/'))) {
    const { status, text } = await ask(route, operator, { ...route.query, no_such_field: 'x' });
    assert.deepEqual(
      [status, (JSON.parse(text) as { error: string }).error],
      [400, 'unknown_field'],
      `${route.method} ${route.path}`,
    );
  }
  const cancelled = await customer.post(`/api/v1/messages/${newId()}/cancel`, { reason: 'x' });
  assert.deepEqual([cancelled.status, cancelled.body.details?.field], [400, 'reason']);
});

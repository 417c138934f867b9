import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { after, before, test } from 'node:test';
import fastify, { type RouteOptions } from 'fastify';
import { hashApiKey } from '../../src/domain/api-key.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { VALIDATION } from '../../src/http/build-http.ts';
import { answerInQueue, COUNTS, VERBATIM } from '../../src/http/dialects/queue-answer.ts';
import { queryFromQueue, requestFromQueue } from '../../src/http/dialects/queue-request.ts';
import { type FindSchema, isObject, propertiesOf, type Shape, shapeOf } from '../../src/http/dialects/shape.ts';
import { canonicalWord, createSpelling, queueName, queueWord } from '../../src/http/dialects/spelling.ts';
import { DESCRIBED } from '../../src/http/documents.ts';
import { registerRoutes } from '../../src/http/routes/all-routes.ts';
import { BatchBody, BatchEnvelope } from '../../src/http/routes/batches.schema.ts';
import type { HttpApp, TypeBoxProvider } from '../../src/http/typebox-provider.ts';
import { newPhone } from '../engine-world.ts';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

/*
 * The queue dialect on every route there is, taken from the application itself: a new route is held to it as soon as it is
 * registered. Samples are made of the routes' schemas.
 */

const tenant = newId<TenantId>();
const spelling = createSpelling();
spelling.add(['media_url']);
const routes: { name: string; method: string; url: string; schema: Schemas }[] = [];
const app: HttpApp = fastify({ ...VALIDATION, exposeHeadRoutes: false }).withTypeProvider<TypeBoxProvider>();
const find: FindSchema = (id) => app.getSchema(id);

interface Schemas {
  body?: unknown;
  querystring?: unknown;
  response?: Record<string, unknown>;
}

let world: DoorWorld;
let customer: Customer;
before(async () => {
  app.addHook('onRoute', ({ method, url, schema = {} }: RouteOptions) => {
    if (!url.startsWith('/api/')) return;
    const { body, querystring, response } = schema as Schemas;
    const schemas: Schemas = { body: body === BatchEnvelope ? BatchBody : body, querystring };
    if (response) schemas.response = response;
    spelling.add(propertiesOf(schemas.body, find).keys());
    spelling.add(propertiesOf(querystring, find).keys());
    for (const one of [method].flat()) routes.push({ name: `${one} ${url}`, method: one, url, schema: schemas });
  });
  registerRoutes(app, DESCRIBED);
  await app.ready();
  world = await doorWorld();
  customer = await world.customer();
});
after(async () => {
  await app.close();
  await world.close();
});

/** A value that a schema describes, with all that it may have. `way` chooses among words. */
function sample(schema: unknown, way: number, name = ''): unknown {
  if (!isObject(schema)) return 'text';
  const { $ref, type, properties, items, format } = schema;
  if (typeof $ref === 'string') return sample(find($ref.replace(/#$/, '')), way, name);
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives)) return sample(alternatives[way % alternatives.length], way, name);
  const words = schema['enum'];
  if (Array.isArray(words)) return words[way % words.length];
  if ('const' in schema) return schema['const'];
  const kinds: unknown[] = Array.isArray(type) ? type : [type];
  if (kinds.includes('null') && way === 1) return null;
  if (isObject(properties)) {
    return Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, sample(part, way, key)]));
  }
  switch (kinds[0]) {
    case 'object':
      // What is left open is the user's: neither spelling may change.
      return COUNTS.has(name)
        ? { sent: 1, read_receipt: 2 }
        : { own_name: { inner_name: 1 }, ownName: [{ a_b: 'Text' }] };
    case 'array':
      return [sample(items, way), sample(items, way)];
    case 'integer':
    case 'number':
      return 7;
    case 'boolean':
      return true;
    default:
      return format === 'date-time' ? `2026-12-0${way + 1}T10:00:00.000Z` : `some_text_${'abc'[way]}`;
  }
}

/** A canonical request as a user of queue-service writes it. */
function toQueue(shape: Shape | null, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => toQueue(shape, item));
  if (shape === null || !isObject(value)) return value;
  const pairs = Object.entries(value).map(([name, part]): [string, unknown] => {
    const word = ['status', 'direction', 'type', 'message_type'].includes(name) && typeof part === 'string';
    return [queueName(name), word ? queueWord(part) : toQueue(shape.parts.get(name) ?? null, part)];
  });
  const spelled = Object.fromEntries(pairs);
  const { content } = spelled;
  if (!isObject(content) || !('mediaUrl' in content)) return spelled;
  const { text, mediaUrl, ...more } = content;
  return { ...spelled, mediaUrl, content: Object.keys(more).length > 0 ? { text, ...more } : text };
}

/** What an answer in the queue dialect says, in our words. */
function fromQueue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromQueue);
  if (!isObject(value)) return value;
  const derived = ['userId', 'errorMessage', 'isFromBot', 'updatedAt', 'mediaUrl', 'contentDetails'];
  const isMessage = derived.every((name) => name in value);
  const { contentDetails, content, mediaUrl } = value;
  const pairs = Object.entries(value).flatMap(([name, part]): [string, unknown][] => {
    if (isMessage && derived.includes(name)) return [];
    const ours = OURS.get(name) ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (isMessage && name === 'content') {
      const folded = content === '' && mediaUrl === null ? null : { text: content, media_url: mediaUrl };
      return [[ours, contentDetails ?? folded]];
    }
    if (VERBATIM.has(ours)) return [[ours, part]];
    if (COUNTS.has(ours) && isObject(part)) {
      return [[ours, Object.fromEntries(Object.entries(part).map(([word, count]) => [canonicalWord(word), count]))]];
    }
    const word = 'state' in value && ['status', 'direction', 'type'].includes(name);
    return [[ours, word ? canonicalWord(String(part)) : fromQueue(part)]];
  });
  return Object.fromEntries(pairs);
}
const OURS = new Map([
  ['whatsappAccountId', 'sender_id'],
  ['scheduledFor', 'scheduled_at'],
  ['campaignId', 'batch_id'],
]);

test('the routes of the API are found', () => {
  const names = routes.map(({ name }) => name);
  assert.ok(names.length >= 9, names.join());
  assert.ok(names.includes('POST /api/v1/messages') && names.includes('GET /api/v1/messages'));
});

test('a request of every route goes there and back', () => {
  for (const { name, schema } of routes) {
    for (const way of [0, 1, 2]) {
      for (const part of ['body', 'querystring'] as const) {
        const shape = shapeOf(schema[part], find);
        if (shape === null) continue;
        const ours = sample(schema[part], way);
        const into = part === 'body' ? requestFromQueue : queryFromQueue;
        assert.deepEqual(into(shape, spelling, toQueue(shape, ours)), ours, `${name} ${part}`);
      }
    }
  }
});

test('an answer of every route goes there and back, and users’ data in it is not touched', () => {
  for (const { name, schema } of routes) {
    const answers = Object.entries(schema.response ?? {}).filter(([status]) => status.startsWith('2'));
    assert.ok(answers.length > 0, `${name} has no schema of its answer`);
    for (const [status, answer] of answers) {
      for (const way of [0, 1, 2]) {
        const ours = sample(answer, way);
        const said = answerInQueue(ours, { tenant, route: '', status: 200, asked: undefined, spelling }) as {
          success: boolean;
          data: unknown;
        };
        assert.equal(said.success, true);
        assert.deepEqual(fromQueue(said.data), ours, `${name} ${status}`);
        assertCamel(said.data, name);
      }
    }
  }
});

/** No name in it is ours, outside users' data. */
function assertCamel(value: unknown, route: string): void {
  if (Array.isArray(value)) for (const item of value) assertCamel(item, route);
  if (!isObject(value)) return;
  for (const [name, part] of Object.entries(value)) {
    assert.doesNotMatch(name, /_/, route);
    if (!VERBATIM.has(name) && name !== 'contentDetails') assertCamel(part, route);
  }
}

test('every route speaks as it is asked to, in its errors too', async () => {
  const speaker = await world.customer();
  const text = `update api_keys set dialect = 'queue' where key_hash = $1`;
  await world.db.query({ name: 'test_dialect', text }, [hashApiKey(speaker.key)]);
  const [operator, queueOperator] = [
    await world.keyFor(customer.tenant, ['admin']),
    await world.keyFor(speaker.tenant, ['admin']),
  ];
  await world.db.query({ name: 'test_dialect', text }, [hashApiKey(queueOperator)]);
  for (const { name, method, url, schema } of routes) {
    const ask = async (key: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${world.url}${url.replace(/:\w+/g, () => newId())}?no_such_field=x`, {
        method,
        headers: {
          'x-api-key': key,
          ...(schema.body === undefined || method === 'GET' ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(schema.body === undefined || method === 'GET' ? {} : { body: sampleBody(schema.body) }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      assert.equal(response.status, 400, `${name}: ${JSON.stringify(body)}`);
      return Object.keys(body).includes('success') ? body['success'] : 'ours';
    };
    assert.equal(await ask(operator), 'ours', name);
    assert.equal(await ask(operator, { 'x-api-case': 'camel' }), false, name);
    assert.equal(await ask(queueOperator), false, name);
    assert.equal(await ask(queueOperator, { 'x-api-case': 'snake' }), 'ours', name);
  }
});

/** A body whose shape may be right or wrong: either is refused, for the query is. */
function sampleBody(schema: unknown): string {
  return JSON.stringify(shapeOf(schema, find) === null ? null : {});
}

test('a canonical request runs no code of a dialect', async () => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  /** The functions of the dialects that ran since this was asked last. */
  const ran = async (): Promise<string[]> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => url.includes('/http/dialects/'))
      .flatMap(({ functions }) => functions)
      .filter(({ ranges }) => ranges.some(({ count }) => count > 0))
      .map(({ functionName }) => functionName);
  };
  const message = { recipient_phone: newPhone(), sender_id: customer.sender, content: { text: 'x' } };
  try {
    await ran();
    const accepted = await customer.post('/api/v1/messages', message);
    assert.equal(accepted.status, 202);
    const batch = await customer.post('/api/v1/messages/batch', { messages: [message, { to: '1' }] });
    assert.equal(batch.status, 202);
    assert.equal((await customer.get(`/api/v1/messages?sender_id=${customer.sender}&status=queued`)).status, 200);
    assert.equal((await customer.get(`/api/v1/messages/${accepted.body.id}`)).status, 200);
    assert.equal((await customer.get('/api/v1/events')).status, 200);
    assert.equal((await customer.post('/api/v1/messages', { ...message, sender_id: 'nobody' })).status, 404);
    assert.equal((await customer.post('/api/v1/messages', { ...message, schedule_at: 'x' })).status, 400);
    assert.deepEqual(await ran(), []);
    assert.equal((await customer.get('/api/v1/messages?contactId=x')).status, 200);
    assert.ok((await ran()).includes('requestFromQueue'), 'the measure itself works');
  } finally {
    await session.post('Profiler.stopPreciseCoverage');
    session.disconnect();
  }
});

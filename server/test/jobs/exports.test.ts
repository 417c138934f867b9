import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { hashApiKey } from '../../src/domain/api-key.ts';
import { type InstanceId, newId } from '../../src/domain/ids.ts';
import { messageView } from '../../src/domain/message-view.ts';
import type { ObjectStore } from '../../src/domain/object-store.ts';
import { ContactObject, contactView } from '../../src/http/contact-view.ts';
import { MessageObject } from '../../src/http/message-view.ts';
import { createExportJob, type ExportsOptions } from '../../src/jobs/exports.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { type Answer, type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { asker } from '../http/operator.ts';
import { until } from '../until.ts';

const EXPORTS = '/api/v1/exports';
let world: DoorWorld;
before(async () => {
  world = await doorWorld();
});
after(() => world.close());

/** A job of an instance of its own, which tests begin and end. */
function job(change: Partial<ExportsOptions> = {}) {
  return createExportJob({
    db: world.db,
    signals: world.signals,
    logger: { info() {}, warn() {} },
    instance: newId<InstanceId>(),
    store: world.media.store,
    views: { messages: messageView, contacts: contactView },
    columns: { messages: Object.keys(MessageObject.properties), contacts: Object.keys(ContactObject.properties) },
    keep: 60_000,
    pollInterval: 20,
    partRows: 1000,
    ...change,
  });
}

/** Runs a job until something is so. */
async function during(what: string, isSo: () => Promise<boolean>, change: Partial<ExportsOptions> = {}): Promise<void> {
  const running = job(change);
  await running.start();
  try {
    await until(what, isSo);
  } finally {
    await running.stop();
  }
}

async function complete(customer: Customer, id: string, change: Partial<ExportsOptions> = {}): Promise<Answer['body']> {
  const read = async () => (await customer.get(`${EXPORTS}/${id}`)).body;
  await during('the export is complete', async () => (await read()).state === 'complete', change);
  return read();
}

/** Adds messages like the newest of a tenant's, quickly; nothing but the rows. */
async function many(customer: Customer, n: number): Promise<void> {
  const text = `
    insert into messages (tenant_id, id, sender_id, contact_id, conversation_id, direction, state, state_before, type,
      category, priority, address, content, created_at)
    select m.tenant_id, i.id, m.sender_id, m.contact_id, m.conversation_id, m.direction, m.state, m.state_before, m.type,
      m.category, m.priority, m.address, m.content, clock_timestamp()
    from (select * from messages where tenant_id = $1 limit 1) m, unnest($2::uuid[]) as i(id)`;
  await world.db.query({ name: 'test_many', text }, [customer.tenant, Array.from({ length: n }, () => newId())]);
}

async function download(customer: Customer, id: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${world.url}${EXPORTS}/${id}/download`, { headers: { 'x-api-key': customer.key, ...headers } });
}

async function downloaded(customer: Customer, id: string): Promise<Record<string, unknown>[]> {
  const text = await (await download(customer, id)).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function asked(customer: Customer, body: object): Promise<Answer['body']> {
  const { status, body: answer } = await customer.post(EXPORTS, body);
  assert.equal(status, 202, JSON.stringify(answer));
  return answer;
}

async function listed(customer: Customer, query = ''): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body }: Answer = await customer.get(`/api/v1/messages?limit=100${query}${cursor && `&cursor=${cursor}`}`);
    found.push(...body.messages);
    cursor = body.next_cursor;
  }
  return found;
}

/** Files of exports of a tenant that lie in the store. */
function files(customer: Customer): string[] {
  const folder = join(world.media.folder, 'media', 'exports', customer.tenant);
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

async function change(customer: Customer, id: string, set: string): Promise<void> {
  const text = `update exports set ${set} where tenant_id = $1 and id = $2`;
  await world.db.query({ name: `test_change ${set}`, text }, [customer.tenant, id]);
}

test('an export of messages is the list as the API shows it, in parts', async () => {
  const customer = await world.customer();
  for (const text of ['=1+1', 'two\nlines, "quoted"'])
    await customer.accept({ content: { text }, metadata: { a: [1] } });
  await many(customer, 2400);
  const made = await asked(customer, { kind: 'messages', format: 'jsonl' });
  assert.deepEqual([made.state, made['filter'], made['percent'], made['size']], ['queued', {}, 0, 0]);
  await customer.accept({ content: { text: 'too late' } });
  const done = await complete(customer, made.id);
  assert.deepEqual([done['rows'], done['parts'], done['percent']], [2402, 3, 100]);
  const list = (await listed(customer)).slice(1);
  assert.deepEqual(await downloaded(customer, made.id), list);
  assert.deepEqual(files(customer), ['part-000001-1.jsonl', 'part-000002-2.jsonl', 'part-000003-3.jsonl']);
});

test('a CSV file has the same, with a head and safe cells, and a range goes over its parts', async () => {
  const customer = await world.customer();
  await customer.accept({ content: { text: '=1+1' } });
  await many(customer, 1200);
  const filter = { sender_id: customer.sender, direction: 'outbound', start_date: '2020-01-01' };
  const made = await asked(customer, { kind: 'messages', format: 'csv', filter, bom: true });
  assert.deepEqual(made['filter'], filter);
  const done = await complete(customer, made.id);
  const response = await download(customer, made.id);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get('content-length'), String(done['size']));
  assert.equal(bytes.length, done['size']);
  assert.match(
    response.headers.get('content-disposition') ?? '',
    /^attachment; filename=messages-\d{4}-\d\d-\d\d\.csv$/,
  );
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8');
  assert.equal(bytes.subarray(0, 3).toString('hex'), 'efbbbf');
  const rows = parse(bytes, { columns: true, bom: true }) as Record<string, string>[];
  const list = (await listed(customer)) as { id: string; to: string }[];
  assert.deepEqual(
    rows.map(({ id, to, content }) => [id, to, content]),
    list.map(({ id, to }) => [id, `'${to}`, '{"text":"=1+1"}']),
  );

  const size = bytes.length;
  const etag = response.headers.get('etag') ?? '';
  for (const [range, from, to] of [
    [`bytes=100-${size - 101}`, 100, size - 100],
    ['bytes=-10', size - 10, size],
    [`bytes=${size - 5}-`, size - 5, size],
  ] as const) {
    const part = await download(customer, made.id, { range, 'if-range': etag });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${size}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(from, to));
  }
  const whole = await download(customer, made.id, { range: 'bytes=5-', 'if-range': '"another"' });
  assert.deepEqual([whole.status, (await whole.arrayBuffer()).byteLength], [200, size]);
  const none = await download(customer, made.id, { range: `bytes=${size}-` });
  assert.deepEqual([none.status, ((await none.json()) as { error: string }).error], [416, 'invalid_range']);
});

test('contacts are exported with the filters of their list', async () => {
  const customer = await world.customer();
  for (let i = 0; i < 12; i++) {
    const phone = `+6281900000${String(i).padStart(2, '0')}`;
    const attributes = { city: i % 3 === 0 ? 'Jakarta' : 'Bandung' };
    assert.equal((await customer.post('/api/v1/contacts', { phone, name: `=No ${i}`, attributes })).status, 201);
  }
  const everybody = await asked(customer, { kind: 'contacts', format: 'jsonl' });
  const some = await asked(customer, { kind: 'contacts', format: 'csv', filter: { attribute: 'city:Jakarta' } });
  assert.deepEqual([everybody['total'], some['total']], [12, null]);
  await complete(customer, everybody.id, { partRows: 5 });
  await complete(customer, some.id, { partRows: 5 });
  const list = (await customer.get('/api/v1/contacts')).body as unknown as { contacts: unknown[] };
  assert.deepEqual(await downloaded(customer, everybody.id), list.contacts);
  const rows = parse(await (await download(customer, some.id)).text(), { columns: true }) as Record<string, string>[];
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["'=No 9", "'=No 6", "'=No 3", "'=No 0"],
  );
});

test('an empty list is a file with a head, or an empty one', async () => {
  const customer = await world.customer();
  const csv = await asked(customer, { kind: 'contacts', format: 'csv' });
  const jsonl = await asked(customer, { kind: 'messages', format: 'jsonl' });
  await complete(customer, csv.id);
  assert.equal((await complete(customer, jsonl.id))['rows'], 0);
  assert.match(await (await download(customer, csv.id)).text(), /^id,external_id,.*\n$/);
  const empty = await download(customer, jsonl.id);
  assert.deepEqual([empty.status, empty.headers.get('content-length'), await empty.text()], [200, '0', '']);
});

/** A job of a process that is killed when it has written a part and not recorded it: nothing of it goes on from there. */
function dying(part: number): Part & { dead: Promise<void> } {
  const died = Promise.withResolvers<void>();
  let dead = false;
  const never = () => new Promise<never>(() => {});
  const { store } = world.media;
  const running = job({
    lease: 200,
    db: {
      ...world.db,
      query: (statement, values) => (dead ? never() : world.db.query(statement, values)),
    },
    store: {
      ...store,
      async put(key, bytes, about) {
        const put = await store.put(key, bytes, about);
        if (!key.includes(`part-${String(part).padStart(6, '0')}`)) return put;
        dead = true;
        died.resolve();
        return never();
      },
    },
  });
  return { ...running, dead: died.promise };
}

test('when its instance is gone another goes on after the last part: no row is missing, none is there twice', async () => {
  const customer = await world.customer();
  await customer.accept();
  await many(customer, 3499);
  const made = await asked(customer, { kind: 'messages', format: 'jsonl' });
  const killed = dying(3);
  await killed.start();
  await killed.dead;
  const half = (await customer.get(`${EXPORTS}/${made.id}`)).body;
  assert.deepEqual([half.state, half['parts'], half['rows']], ['running', 2, 2000]);
  assert.equal(files(customer).length, 3);
  const done = await complete(customer, made.id);
  assert.deepEqual([done['rows'], done['parts']], [3500, 4]);
  assert.deepEqual(await downloaded(customer, made.id), await listed(customer));
  assert.equal(files(customer).length, 4, 'what was never recorded is removed');
});

test('what takes longer than a lease is held on, and ends when it is cancelled', async () => {
  const customer = await world.customer();
  await customer.accept();
  const { id } = await asked(customer, { kind: 'messages', format: 'csv' });
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { store } = world.media;
  const slow = job({
    lease: 100,
    store: {
      ...store,
      async put(key, bytes, about) {
        reached.resolve();
        await go.promise;
        return store.put(key, bytes, about);
      },
    },
  });
  await slow.start();
  await reached.promise;
  const holds = async () => {
    const text = 'select holds, held_until > clock_timestamp() as held, held_until from exports where id = $1';
    const [row] = await world.db.query<{ holds: number; held: boolean; held_until: Date }>(
      { name: 'test_holds', text },
      [id],
    );
    return row;
  };
  const first = await holds();
  await during('the lease was renewed', async () => ((await holds())?.held_until ?? 0) > (first?.held_until ?? 0));
  assert.equal((await holds())?.holds, 1, 'nobody else took it');
  assert.equal((await customer.post(`${EXPORTS}/${id}/cancel`)).status, 200);
  go.resolve();
  await slow.stop();
  assert.deepEqual(files(customer), []);
});

test('an instance that stops lets go: the next goes on at once', async () => {
  const customer = await world.customer();
  await customer.accept();
  await many(customer, 1999);
  const made = await asked(customer, { kind: 'messages', format: 'jsonl' });
  await during('a part is written', async () => (await customer.get(`${EXPORTS}/${made.id}`)).body['parts'] !== 0);
  assert.equal((await complete(customer, made.id))['rows'], 2000);
  assert.deepEqual(await downloaded(customer, made.id), await listed(customer));
});

test('a store that fails is tried again, and the export says so; in the end it is given up', async () => {
  const customer = await world.customer();
  await customer.accept();
  const made = await asked(customer, { kind: 'messages', format: 'csv' });
  const store: ObjectStore = { ...world.media.store, put: () => Promise.reject(new Error('the disk is full')) };
  const read = async () => (await customer.get(`${EXPORTS}/${made.id}`)).body;
  await during('it has failed once', async () => (await read())['error'] !== null, { store });
  assert.deepEqual([(await read()).state, (await read())['error']], ['running', 'the disk is full']);
  assert.equal((await download(customer, made.id)).status, 409);
  await change(customer, made.id, 'tries = 9, held_until = null');
  await during('it is given up', async () => (await read()).state === 'failed', { store });
  const refused = await download(customer, made.id);
  assert.equal(refused.status, 409);
  assert.match(((await refused.json()) as { message: string }).message, /the disk is full/);
  assert.equal((await customer.post(`${EXPORTS}/${made.id}/cancel`)).status, 409);
});

test('what is cancelled ends, and its files go', async () => {
  const customer = await world.customer();
  await customer.accept();
  await many(customer, 1500);
  const made = await asked(customer, { kind: 'messages', format: 'jsonl' });
  const inUse = await fetch(`${world.url}${EXPORTS}/${made.id}`, {
    method: 'DELETE',
    headers: { 'x-api-key': customer.key },
  });
  assert.equal(inUse.status, 409);
  const killed = dying(2);
  await killed.start();
  await killed.dead;
  const cancelled = await customer.post(`${EXPORTS}/${made.id}/cancel`);
  assert.deepEqual([cancelled.status, cancelled.body.state], [200, 'cancelled']);
  await during('its files are gone', async () => files(customer).length === 0);
  const read = (await customer.get(`${EXPORTS}/${made.id}`)).body;
  assert.deepEqual([read.state, read['parts'], read['size']], ['cancelled', 0, 0]);
  assert.equal((await download(customer, made.id)).status, 409);
  assert.equal((await customer.post(`${EXPORTS}/${made.id}/cancel`)).status, 409);
});

test('what is deleted or has expired is gone, with its files', async () => {
  const customer = await world.customer();
  await customer.accept();
  const { id } = await asked(customer, { kind: 'messages', format: 'jsonl' });
  const other = await asked(customer, { kind: 'messages', format: 'csv' });
  await complete(customer, id);
  await complete(customer, other.id);
  const { ask } = asker(world, customer.key);
  const removed = await ask('DELETE', `/exports/${id}`);
  assert.deepEqual([removed.status, removed.body], [200, { id, deleted: true }]);
  for (const path of [`/exports/${id}`, `/exports/${id}/download`]) assert.equal((await ask('GET', path)).status, 404);
  assert.equal((await ask('DELETE', `/exports/${id}`)).status, 404);
  await change(customer, other.id, "expires_at = clock_timestamp() - interval '1 s'");
  assert.deepEqual((await customer.get(EXPORTS)).body['exports'], []);
  await during('the files are gone', async () => files(customer).length === 0);
  const text = 'select count(*)::int as n from exports where tenant_id = $1';
  assert.deepEqual(await world.db.query({ name: 'test_count', text }, [customer.tenant]), [{ n: 0 }]);
});

test('three are written at a time and a hundred kept; requests at once do not pass the limit', async () => {
  const customer = await world.customer();
  const body = { kind: 'messages', format: 'csv' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => customer.post(EXPORTS, body)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 202, 202, 429, 429, 429, 429, 429]);
  const busy = answers.find(({ status }) => status === 429);
  assert.deepEqual([busy?.body.error, busy?.headers.get('retry-after')], ['exports_busy', '5']);
  const text = `
    insert into exports (tenant_id, id, kind, format, asked, filter, state, expires_at)
    select $1, gen_random_uuid(), 'messages', 'csv', '{}', '{}', 'complete', clock_timestamp() + interval '1 h'
    from generate_series(1, 97)`;
  await world.db.query({ name: 'test_fill', text }, [customer.tenant]);
  const set = `update exports set state = 'complete', expires_at = clock_timestamp() + interval '1 h' where tenant_id = $1`;
  await world.db.query({ name: 'test_end', text: set }, [customer.tenant]);
  const full = await customer.post(EXPORTS, body);
  assert.deepEqual([full.status, full.body.error], [409, 'too_many_exports']);
  const page = (await customer.get(`${EXPORTS}?limit=60`)).body;
  const rest = (await customer.get(`${EXPORTS}?limit=60&cursor=${page.next_cursor}`)).body;
  assert.deepEqual([(page['exports'] as []).length, (rest['exports'] as []).length, rest.next_cursor], [60, 40, null]);
});

test('what makes no sense is refused, and nothing is stored', async () => {
  const customer = await world.customer();
  for (const [body, status, error, field] of [
    [{}, 400, 'missing_field', 'kind'],
    [{ kind: 'messages' }, 400, 'missing_field', 'format'],
    [{ kind: 'events', format: 'csv' }, 400, 'invalid_field', 'kind'],
    [{ kind: 'messages', format: 'xlsx' }, 400, 'invalid_field', 'format'],
    [{ kind: 'messages', format: 'csv', colour: 1 }, 400, 'unknown_field', 'colour'],
    [{ kind: 'messages', format: 'jsonl', bom: true }, 400, 'invalid_field', 'bom'],
    [{ kind: 'messages', format: 'csv', filter: { limit: 5 } }, 400, 'unknown_field', 'filter.limit'],
    [{ kind: 'messages', format: 'csv', filter: { phone: '+62812345678' } }, 400, 'unknown_field', 'filter.phone'],
    [{ kind: 'contacts', format: 'csv', filter: { status: 'sent' } }, 400, 'unknown_field', 'filter.status'],
    [{ kind: 'messages', format: 'csv', filter: { sender_id: 'nobody' } }, 404, 'not_found', 'filter'],
    [{ kind: 'messages', format: 'csv', filter: { start_date: 'soon' } }, 400, 'invalid_field', 'start_date'],
  ] as const) {
    const answer = await customer.post(EXPORTS, body);
    assert.deepEqual([answer.status, answer.body.error, answer.body.details?.field], [status, error, field]);
  }
  assert.deepEqual((await customer.get(EXPORTS)).body['exports'], []);
  for (const id of ['nothing', newId()]) {
    assert.equal((await customer.get(`${EXPORTS}/${id}`)).status, 404);
    assert.equal((await customer.get(`${EXPORTS}/${id}/download`)).status, 404);
    assert.equal((await customer.post(`${EXPORTS}/${id}/cancel`)).status, 404);
  }
});

test('another tenant sees none of it, and a key exports only what it may read', async () => {
  const [customer, stranger] = [await world.customer(), await world.customer()];
  await customer.accept();
  const { id } = await asked(customer, { kind: 'messages', format: 'csv' });
  await complete(customer, id);
  assert.equal((await stranger.get(`${EXPORTS}/${id}`)).status, 404);
  assert.equal((await stranger.get(`${EXPORTS}/${id}/download`)).status, 404);
  assert.deepEqual((await stranger.get(EXPORTS)).body['exports'], []);
  const narrow = asker(world, await world.keyFor(customer.tenant, ['exports:write', 'contacts:read']));
  assert.equal((await narrow.ask('POST', '/exports', { kind: 'messages', format: 'csv' })).status, 403);
  assert.equal((await narrow.ask('GET', `/exports/${id}/download`)).status, 403);
  assert.equal((await narrow.ask('POST', '/exports', { kind: 'contacts', format: 'csv' })).status, 202);
  const reader = asker(world, await world.keyFor(customer.tenant, ['messages:read', 'contacts:read']));
  assert.equal((await reader.ask('GET', '/exports')).status, 403);
});

test('a file has no dialect', async () => {
  const customer = await world.customer();
  await customer.accept();
  const { id } = await asked(customer, { kind: 'messages', format: 'jsonl' });
  await complete(customer, id);
  const text = `update api_keys set dialect = 'queue' where key_hash = $1`;
  await world.db.query({ name: 'test_dialect', text }, [hashApiKey(customer.key)]);
  const response = await download(customer, id, { 'x-api-case': 'camel' });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
  assert.match(await response.text(), /^\{"id":"[^"]+","direction":"outbound"/);
});

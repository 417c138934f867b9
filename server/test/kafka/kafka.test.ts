import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kafkaFiles } from '../../../tools/kafka/kafka-files.ts';
import { buildChat } from '../../src/boot/chat.ts';
import type { Db } from '../../src/db/pool.ts';
import { eventCursors } from '../../src/domain/event-cursor.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import { toldEvent } from '../../src/domain/told-event.ts';
import { createKafkaForwarder, KAFKA, type KafkaForwarder } from '../../src/fanout/kafka/kafka-forwarder.ts';
import { type KafkaPublisher, kafkaPublisher } from '../../src/outside/kafka.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { FAILPOINTS } from '../../src/runtime/failpoints.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { type EventRow, LOG_START, listEvents } from '../../src/store/events.read.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from '../boot/program.ts';
import { groupOf, readLog, say } from '../chat/chat-world.ts';
import { type EngineWorld, engineWorld } from '../engine-world.ts';
import { certificates, type Pair } from '../http/certificates.ts';
import { until } from '../until.ts';
import { type KafkaServer, kafkaServer, LOGIN, type ReadRecord } from './kafka-server.ts';

/*
 * On a real Kafka. What it acknowledged is not believed: the topics are read again, and held against the log.
 */
const files = kafkaFiles();

describe('events in Kafka', { skip: files.skip }, () => {
  let kafka: KafkaServer;
  let world: EngineWorld;
  const made = certificates();
  let pair: Pair;
  let topics = 0;
  before(async () => {
    pair = made.make('broker');
    [kafka, world] = await Promise.all([kafkaServer(files.classpath ?? '', pair), engineWorld()]);
  });
  after(async () => {
    await world?.close();
    await kafka?.close();
    made.remove();
  });

  const chatWorld = () => ({ ...world, chat: buildChat(world), tenant: async () => (await world.tenant()).tenant });

  /** Topics of its own, and forwarders to them. */
  function scene(t: TestContext) {
    const prefix = `t${++topics}.`;
    const names = { prefix, notifications: `${prefix}notifications`, mode: 'structured' as 'structured' | 'binary' };
    const logged: string[] = [];
    const log = (_about: object, text = '') => void logged.push(text);
    const forwarders: Part[] = [];
    t.after(async () => {
      for (const one of forwarders) await one.stop();
      // A position that stays would make the next test's forwarder begin there.
      await world.db.script(`delete from event_consumers where consumer = '${KAFKA}'`);
    });
    return {
      names,
      logged,
      publisher: () =>
        kafkaPublisher({
          brokers: [kafka.broker],
          clientId: 'aldis',
          createTopics: true,
          timeout: 5000,
          tls: null,
          sasl: null,
        }),
      async forward(options: { publisher?: KafkaPublisher; db?: Db; lease?: number } = {}): Promise<KafkaForwarder> {
        const forwarder = createKafkaForwarder({
          db: options.db ?? world.db,
          signals: world.signals,
          publisher: options.publisher ?? this.publisher(),
          names,
          clock: systemClock,
          logger: { error: log, warn: log, info: log },
          metrics: createMetrics({ version: 'test', node: false }),
          instance: newId(),
          alone: false,
          pollInterval: 10,
          lease: options.lease ?? 30_000,
        });
        forwarders.push(forwarder);
        await forwarder.start();
        return forwarder;
      },
      read: () => kafka.read(...['message', 'chat', 'conversation'].map((name) => prefix + name), names.notifications),
    };
  }

  async function logOf(tenant: TenantId): Promise<EventRow[]> {
    await readLog(world.db, tenant);
    return listEvents(world.db, tenant, LOG_START, 1000);
  }

  /** Waits until a tenant's log is published to its end. */
  async function allPublished(tenant: TenantId): Promise<EventRow[]> {
    const log = await logOf(tenant);
    const unread = {
      name: 'test_unpublished',
      text: `select from event_consumers c where c.tenant_id = $1 and c.consumer = $2 and c.held_by is null
        and (c.xid, c.event_id) >= ($3::text::xid8, $4::uuid)`,
    };
    const last = log.at(-1);
    await until(
      'all is published',
      async () => (await world.db.query(unread, [tenant, KAFKA, last?.xid, last?.event_id])).length === 1,
      90_000,
    );
    return log;
  }

  /** Holds that topics have exactly the log: nothing is missing, and each key is in order by the first time each event came. */
  function assertSame(
    records: readonly ReadRecord[],
    log: readonly EventRow[],
    names: { notifications: string },
  ): void {
    const first = new Map<string, ReadRecord>();
    for (const record of records) {
      const id = String(record.value['id']);
      if (!first.has(id)) first.set(id, record);
    }
    assert.deepEqual(new Set(first.keys()), new Set(log.map((row) => row.event_id)));
    const places = new Map(log.map((row, i) => [row.event_id as string, i]));
    const reached = new Map<string, number>();
    const partitions = new Map<string, number>();
    for (const [id, { topic, key, partition }] of first) {
      const line = `${topic} ${key}`;
      const place = places.get(id) ?? -1;
      assert.ok(place > (reached.get(line) ?? -1), `${line} is in order`);
      reached.set(line, place);
      assert.equal(partitions.get(line) ?? partition, partition, `${line} is in one partition`);
      partitions.set(line, partition);
    }
    for (const row of log) {
      const record = first.get(row.event_id);
      const user = row.event_type === 'notification.offline' && row.id === null ? row.user_id : null;
      assert.equal(record?.key, user ?? row.conversation_id);
      assert.equal(record?.topic === names.notifications, user !== null);
    }
  }

  test('every event is there, as a CloudEvent with what everybody is told, in a chain over all topics', async (t) => {
    const one = scene(t);
    const own = await world.tenant();
    const { tenant } = own;
    await one.forward();
    const group = await groupOf(chatWorld(), tenant, 'a', 'b');
    await say(chatWorld(), tenant, group, 'a', 'Grüße 👋');
    const begun = await own.sending();
    await own.settle(begun, { kind: 'sent', wamid: 'wamid.kafka' });
    const message = await say(chatWorld(), tenant, group, 'b', 'reply');
    const away = { user_id: 'a', conversation_id: group, message, mentioned: false, unread: 1 };
    await world.db.query(
      {
        name: 'test_away',
        text: `insert into events (tenant_id, id, type, conversation_id, user_id, data) values ($1, $2, 'notification.offline', $3, 'a', $4)`,
      },
      [tenant, newId(), group, JSON.stringify(away)],
    );
    const log = await allPublished(tenant);
    const records = await one.read();
    assertSame(records, log, one.names);
    assert.equal(records.length, log.length, 'once each, while nothing fails');
    const cursors = eventCursors(tenant);
    const byCursor = new Map(records.map((record) => [record.value['cursor'], record]));
    for (const [i, row] of log.entries()) {
      const record = byCursor.get(cursors.write({ xid: row.xid, id: row.event_id }));
      const before = log[i - 1];
      if (before) assert.equal(record?.value['prev'], cursors.write({ xid: before.xid, id: before.event_id }));
      const { data, ...attributes } = record?.value ?? {};
      assert.deepEqual(data, JSON.parse(JSON.stringify(toldEvent(row).data)));
      assert.deepEqual(attributes, {
        specversion: '1.0',
        id: row.event_id,
        source: `/aldis/tenants/${tenant}`,
        type: row.event_type,
        subject: attributes['subject'],
        time: toldEvent(row).time.toISOString(),
        partitionkey: record?.key,
        tenantid: tenant,
        cursor: attributes['cursor'],
        prev: attributes['prev'],
        datacontenttype: 'application/json',
      });
      assert.deepEqual(record?.headers, { 'content-type': 'application/cloudevents+json; charset=UTF-8' });
    }
    const sent = records.find((record) => record.value['type'] === 'message.sent');
    assert.equal(sent?.value['subject'], begun.message_id);
    const said = records.find((record) => record.value['type'] === 'chat.created');
    assert.deepEqual([said?.topic, said?.key], [`${one.names.prefix}chat`, group]);
  });

  test('in binary mode the attributes are headers, and the data is the value', async (t) => {
    const one = scene(t);
    one.names.mode = 'binary';
    const { tenant } = await world.tenant();
    await one.forward();
    const group = await groupOf(chatWorld(), tenant, 'a', 'b');
    const [row] = await allPublished(tenant);
    const [record] = await one.read();
    assert.deepEqual(record?.value, JSON.parse(JSON.stringify(row?.data)));
    const { 'content-type': type, ce_id, ce_type, ce_subject, ce_specversion } = record?.headers ?? {};
    assert.deepEqual(
      [type, ce_id, ce_type, ce_subject, ce_specversion],
      ['application/json', row?.event_id, 'conversation.created', group, '1.0'],
    );
  });

  test('many at once, of several tenants: pages and batches lose nothing and keep the order of each key', async (t) => {
    const one = scene(t);
    const tenants = [(await world.tenant()).tenant, (await world.tenant()).tenant];
    await one.forward();
    const many = `
      insert into events (tenant_id, id, type, conversation_id, data)
      select $1, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'participant.left', c.id,
        jsonb_build_object('conversation_id', c.id, 'user_id', repeat('u', 1000) || i)
      from generate_series(1, 900) as i
      join lateral (select ('01900000-0000-7000-8000-' || lpad(to_hex(i % 7), 12, '0'))::uuid as id) c on true`;
    for (const tenant of tenants) await world.db.query({ name: 'test_many', text: many }, [tenant]);
    const logs = await Promise.all(tenants.map(allPublished));
    const records = await one.read();
    for (const [i, tenant] of tenants.entries()) {
      const log = logs[i] ?? [];
      assert.equal(log.length, 900);
      const own = records.filter((record) => record.value['tenantid'] === tenant);
      assertSame(own, log, one.names);
    }
  });

  test('an event that Kafka takes not for its size is left out and told of; the others are published', async (t) => {
    const one = scene(t);
    const { tenant } = await world.tenant();
    await one.forward();
    const group = await groupOf(chatWorld(), tenant, 'a', 'b');
    const text = `insert into events (tenant_id, id, type, conversation_id, data) values ($1, $2, 'participant.left', $3, $4)`;
    const huge = { conversation_id: group, user_id: 'x'.repeat(2_000_000) };
    await world.db.query({ name: 'test_huge', text }, [tenant, newId(), group, JSON.stringify(huge)]);
    await say(chatWorld(), tenant, group, 'a', 'after it');
    const log = await allPublished(tenant);
    const small = log.filter((row) => JSON.stringify(row.data).length < 1_000_000);
    assert.equal(small.length, log.length - 1);
    assertSame(await one.read(), small, one.names);
    assert.deepEqual(one.logged, ['Kafka takes no event of this size: it is left out']);
  });

  test('a pass that dies before it keeps its place is done again by another instance: twice there, never missing', async (t) => {
    const one = scene(t);
    const { tenant } = await world.tenant();
    const real = one.publisher();
    const published: Promise<unknown>[] = [];
    // It is stored, and then this instance hears nothing more.
    const dying: KafkaPublisher = {
      publish(records, ending) {
        published.push(real.publish(records, ending));
        return Promise.reject(new Error('killed'));
      },
      close: () => real.close(),
    };
    const dead = await one.forward({ publisher: dying, lease: 400 });
    const group = await groupOf(chatWorld(), tenant, 'a', 'b');
    for (let i = 0; i < 5; i++) await say(chatWorld(), tenant, group, 'a', `m${i}`);
    await until('it published', () => published.length > 0);
    await Promise.all(published);
    await dead.stop();
    await one.forward({ lease: 400 });
    const log = await allPublished(tenant);
    const records = await one.read();
    assertSame(records, log, one.names);
    assert.ok(records.length > log.length, 'some came twice');
  });

  for (const failpoint of FAILPOINTS.filter((name) => name.startsWith('kafka.'))) {
    test(`killed at ${failpoint}: another instance goes on after the lease, and nothing is missing`, async (t) => {
      const one = scene(t);
      const { tenant } = await world.tenant();
      const lease = 1000;
      const readOn = {
        name: 'test_read_on',
        text: `select not exists (select from events e where e.tenant_id = c.tenant_id and (e.xid, e.id) > (c.xid, c.event_id)) as yes
          from event_consumers c where c.tenant_id = $1 and c.consumer = $2`,
      };
      const child = spawn(
        process.execPath,
        [
          fileURLToPath(new URL('./kafka-process.ts', import.meta.url)),
          ...[world.database.url, kafka.broker, one.names.prefix, String(lease), `${failpoint}=kill@2`],
        ],
        { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
      );
      t.after(() => child.kill('SIGKILL'));
      let alive = true;
      const ended = once(child, 'exit').finally(() => {
        alive = false;
      });
      await once(child.stdout, 'data');
      const group = await groupOf(chatWorld(), tenant, 'a', 'b');
      // One by one, so that there are several passes before it dies.
      while (alive) {
        await say(chatWorld(), tenant, group, 'a', 'on');
        await until('it is published, or the instance is dead', async () => {
          const [row] = await world.db.query<{ yes: boolean }>(readOn, [tenant, KAFKA]);
          return !alive || row?.yes === true;
        });
      }
      const [, signal] = await ended;
      assert.equal(signal, 'SIGKILL');
      await one.forward({ lease });
      const log = await allPublished(tenant);
      assertSame(await one.read(), log, one.names);
    });
  }

  test('a tenant whose topic is not there waits for itself: others go on, and that is said once', async (t) => {
    const one = scene(t);
    const [poor, rich] = [(await world.tenant()).tenant, (await world.tenant()).tenant];
    const real = one.publisher();
    let refused = 0;
    const choosy: KafkaPublisher = {
      publish(records, ending) {
        if (!records.some(({ value }) => value.includes(poor))) return real.publish(records, ending);
        refused++;
        return Promise.resolve({ kind: 'away', reason: 'UNKNOWN_TOPIC_OR_PARTITION' });
      },
      close: () => real.close(),
    };
    const forwarder = await one.forward({ publisher: choosy });
    await groupOf(chatWorld(), poor, 'a', 'b');
    const group = await groupOf(chatWorld(), rich, 'a', 'b');
    for (let i = 0; i < 3; i++) {
      const before = refused;
      await until('the one is refused again', () => refused > before);
      await say(chatWorld(), rich, group, 'a', `m${i}`);
      await allPublished(rich);
    }
    assert.equal(forwarder.trouble(), 'UNKNOWN_TOPIC_OR_PARTITION');
    assert.deepEqual(one.logged, ['Kafka does not take events; they wait']);
  });

  test('a broker that is killed delays and loses nothing, and that is said once', async (t) => {
    const one = scene(t);
    const { tenant } = await world.tenant();
    const forwarder = await one.forward();
    const group = await groupOf(chatWorld(), tenant, 'a', 'b');
    await say(chatWorld(), tenant, group, 'a', 'before');
    await allPublished(tenant);
    assert.equal(forwarder.trouble(), null);
    let saying = true;
    const talk = (async () => {
      for (let i = 0; saying && i < 300; i++)
        await say(chatWorld(), tenant, group, i % 2 === 0 ? 'a' : 'b', `during ${i}`);
    })();
    await kafka.kill();
    await until('it is noticed', () => one.logged.length > 0, 60_000);
    assert.notEqual(forwarder.trouble(), null);
    saying = false;
    await talk;
    await say(chatWorld(), tenant, group, 'a', 'while it is away');
    await kafka.start();
    const log = await allPublished(tenant);
    assertSame(await one.read(), log, one.names);
    assert.deepEqual(one.logged, ['Kafka does not take events; they wait', 'Kafka takes events again']);
    assert.equal(forwarder.trouble(), null);
  });

  test('by TLS, logged in: a wrong password and a certificate of nobody we trust are told, and nothing is stored', async (t) => {
    const one = scene(t);
    const topic = `${one.names.prefix}guarded`;
    const publish = async (change: { password?: string; caFile?: string | null }) => {
      const { password = LOGIN.password, caFile = pair.cert_file } = change;
      const publisher = kafkaPublisher({
        brokers: [kafka.guarded],
        clientId: 'aldis',
        createTopics: true,
        timeout: 5000,
        tls: { caFile, certFile: null, keyFile: null },
        sasl: { mechanism: 'PLAIN', username: LOGIN.username, password },
      });
      const record = { topic, key: 'key', value: JSON.stringify({ change }), headers: {} };
      const answer = await publisher.publish([record], AbortSignal.timeout(60_000));
      await publisher.close();
      return answer;
    };
    assert.deepEqual(await publish({}), { kind: 'stored' });
    const wrong = await publish({ password: 'another' });
    assert.equal(wrong.kind, 'away');
    assert.match(wrong.kind === 'away' ? wrong.reason : '', /authenticat/i);
    const untrusted = await publish({ caFile: null });
    assert.match(untrusted.kind === 'away' ? untrusted.reason : '', /certificate/i);
    assert.deepEqual(
      (await kafka.read(topic)).map((record) => record.value),
      [{ change: {} }],
    );
  });

  test('the program: what is said comes to its topic, and who is away to that of notifications, keyed by user', async (t) => {
    const folder = dataFolder(t);
    const program = startProgram(t, folder, {
      ...(await suiteDatabase(t)),
      KAFKA_BROKERS: kafka.broker,
      ALDIS_OFFLINE_DELAY: '100ms',
    });
    await program.ready;
    const { url, api_key, tenant_id } = credentials(folder);
    const headers = { authorization: `Bearer ${api_key}`, 'x-user-id': 'anna', 'content-type': 'application/json' };
    const post = async (path: string, body: object): Promise<{ id: string }> => {
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      assert.ok(answer.ok, await answer.clone().text());
      return (await answer.json()) as { id: string };
    };
    const participants = [{ user_id: 'anna' }, { user_id: 'ben' }];
    const group = await post('/api/v1/conversations', { type: 'group', participants });
    const said = await post('/api/v1/messages', { conversation_id: group.id, content: 'Hello, @ben' });
    let records: ReadRecord[] = [];
    await until('both are there', async () => {
      records = await kafka.read('aldis.chat', 'notifications');
      return records.length >= 2;
    });
    assert.deepEqual(
      records.map(({ topic, key, value }) => [topic, key, value['type'], value['subject'], value['tenantid']]),
      [
        ['aldis.chat', group.id, 'chat.created', said.id, tenant_id],
        ['notifications', 'ben', 'notification.offline', said.id, tenant_id],
      ],
    );
    const told = async (path: string) => (await fetch(`${url}${path}`)).json() as Promise<Record<string, unknown>>;
    assert.equal((await told('/health'))['kafka'], 'ok');
    assert.equal(((await told('/ready'))['checks'] as Record<string, unknown>)['kafka'], 'ok');
    const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
    assert.match(metrics, /^aldis_event_consumer_lag_seconds\{consumer="kafka"\} \d/m);
    assert.match(metrics, /^aldis_kafka_events_total\{result="published"\} [1-9]/m);
    program.kill('SIGTERM');
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  });

  test('stopping while no broker answers is quick', async (t) => {
    const one = scene(t);
    const { tenant } = await world.tenant();
    const nobody = kafkaPublisher({
      brokers: ['127.0.0.1:9'],
      clientId: 'aldis',
      createTopics: true,
      timeout: 60_000,
      tls: null,
      sasl: null,
    });
    let asked = 0;
    const watched: KafkaPublisher = {
      publish: (records, ending) => {
        asked++;
        return nobody.publish(records, ending);
      },
      close: nobody.close,
    };
    const forwarder = await one.forward({ publisher: watched });
    await groupOf(chatWorld(), tenant, 'a', 'b');
    await until('it was asked', () => asked > 0);
    const began = performance.now();
    await forwarder.stop();
    assert.ok(performance.now() - began < 3000, 'it does not wait for its tries');
  });
});

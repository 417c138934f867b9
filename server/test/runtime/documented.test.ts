import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError, type ConfigInput, describeConfig, loadConfig } from '../../src/runtime/config.ts';
import { PROFILE_NAMES, PROFILES } from '../../src/runtime/profiles.ts';
import { redisAddress } from '../../src/runtime/redis-url.ts';
import { ALL_SETTINGS } from '../../src/runtime/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'aldis-documented-'));
after(() => rmSync(folder, { recursive: true }));

function load({ yaml, ...input }: ConfigInput & { yaml?: string } = {}) {
  const cwd = mkdtempSync(join(folder, 'cwd-'));
  if (yaml !== undefined) writeFileSync(join(cwd, 'aldis.yaml'), yaml);
  return loadConfig({ env: {}, cwd, ...input });
}

function problemsOf(input: ConfigInput & { yaml?: string }): readonly string[] {
  try {
    load(input);
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

const documented = (name: string) => `--config=${join(import.meta.dirname, 'documented', name)}`;

describe('profiles', () => {
  for (const profile of PROFILE_NAMES) {
    test(`${profile}: every value is of a setting and one that it reads`, () => {
      for (const [key, text] of Object.entries(PROFILES[profile])) {
        const named = ALL_SETTINGS.find((one) => one.key === key);
        assert(named, key);
        assert.equal(named.setting.show(named.setting.read(text)), text, key);
      }
      assert.equal(load({ argv: ['--profile', profile] }).config.profile, profile);
    });
  }

  test('a profile lies over the defaults and below all that is set', () => {
    const { config, sources } = load({
      argv: ['--profile=queue'],
      env: { ALDIS_LIMITS_PER_DAY: '5' },
      yaml: 'engine:\n  backoff_base: 7s\n',
    });
    assert.equal(config.limits.per_minute, 20);
    assert.equal(config.limits.per_day, 5);
    assert.equal(config.engine.backoff_base, 7000);
    assert.equal(config.engine.max_attempts, 4);
    assert.deepEqual(sources.get('limits.per_minute'), { layer: 'profile', name: 'profile queue' });
    assert.equal(load().config.limits.per_minute, null);
  });

  test('each service has its own', () => {
    const of = (name: string) => load({ env: { ALDIS_PROFILE: name } }).config;
    assert.deepEqual(
      ['bulk', 'sender', 'chat', 'queue', 'batch'].map((name) => of(name).server.port),
      [8080, 3006, 8083, 8080, 80],
    );
    assert.deepEqual(of('bulk').message_queue, { batch_size: 100, processing_interval: 5000 });
    assert.deepEqual(of('batch').message_queue, { batch_size: 2, processing_interval: 120_000 });
    assert.equal(of('sender').service.name, 'message-sender-service');
    assert.equal(of('sender').engine.backoff_cap, 30_000);
    // Absent is off: no profile names a database.
    for (const name of PROFILE_NAMES) assert.equal(of(name).database.url, null);
  });

  test('the file may name it, and what is shown says where a value comes from', () => {
    const rows = describeConfig(load({ yaml: 'profile: batch\n' }));
    assert.deepEqual(
      rows.find(({ key }) => key === 'message_queue.batch_size'),
      { key: 'message_queue.batch_size', value: '2', source: 'profile batch' },
    );
  });

  test('an unknown one is told', () => {
    assert.deepEqual(problemsOf({ env: { ALDIS_PROFILE: 'bluk' } }), [
      'profile from ALDIS_PROFILE: "bluk" is not aldis, bulk, sender, chat, queue or batch',
    ]);
  });
});

describe('documented names in the environment', () => {
  test('those of sender-service', () => {
    const { config, warnings } = load({
      env: {
        PORT: '3006',
        ENVIRONMENT: 'development',
        TENANT_SERVICE_URL: 'http://tenant-service:3001',
        CONVERSATION_SERVICE_URL: 'http://conversation-service:3004',
        MAX_RETRIES: '3',
        INITIAL_BACKOFF_SECONDS: '1',
        MAX_BACKOFF_SECONDS: '30',
        REQUEST_TIMEOUT_SECONDS: '10',
      },
    });
    assert.equal(config.server.port, 3006);
    assert.equal(config.tenant_service.url, 'http://tenant-service:3001');
    assert.equal(config.conversation_service.url, 'http://conversation-service:3004');
    assert.equal(config.engine.max_attempts, 4, 'three retries');
    assert.deepEqual([config.engine.backoff_base, config.engine.backoff_cap], [1000, 30_000]);
    assert.equal(config.whatsapp.request_timeout, 10_000);
    assert.deepEqual(warnings, []);
  });

  test('those of bulk-service and chat-service; what is not used is told', () => {
    const { config, warnings } = load({
      env: {
        MSG_SVC_SERVER_PORT: '8081',
        MSG_SVC_DATABASE_HOST: 'db.example',
        MSG_SVC_REDIS_HOST: 'localhost',
        MSG_SVC_WHATSAPP_API_KEY: 'EAAG',
        MSG_SVC_OTHER: 'x',
        KAFKA_BROKERS: 'localhost:9092',
        WS_CLIENT_BUFFER_SIZE: '300',
        JWT_SECRET: 'hidden',
        AWS_S3_MAX_FILE_SIZE: '10485760',
        REDIS_URL: '',
        // What a cluster sets for each service of that name.
        REDIS_SERVICE_HOST: '10.0.0.1',
        LOG_LEVEL: 'warn',
      },
    });
    assert.equal(config.server.port, 8081);
    assert.equal(config.database.url, 'postgres://db.example:5432/aldis');
    assert.equal(config.whatsapp.number.access_token, 'EAAG');
    assert.equal(config.log.level, 'warn');
    assert.equal(config.ws.client_buffer_size, 300);
    assert.deepEqual(config.kafka.brokers, ['localhost:9092']);
    assert.equal(redisAddress(config.redis), 'redis://localhost:6379/0');
    assert.equal(config.media.max_file_size, 10_485_760);
    assert.deepEqual(
      warnings.map((warning) => warning.split(' ', 1)[0]),
      ['MSG_SVC_OTHER', 'JWT_SECRET', 'whatsapp.number.access_token'],
    );
    assert(!warnings.join().includes('hidden'));
  });

  test('retries that are no number are refused as they were written', () => {
    assert.deepEqual(problemsOf({ env: { MAX_RETRIES: 'many' } }), [
      'engine.max_attempts from MAX_RETRIES: "many" is not a whole number from 1 to 10000',
    ]);
    assert.equal(load({ env: { MAX_RETRIES: '0' } }).config.engine.max_attempts, 1);
  });
});

describe('the database', () => {
  const url = (input: ConfigInput & { yaml?: string }) => load(input).config.database.url;

  test('absent is off', () => {
    const { config, warnings } = load({ env: { PGUSER: 'somebody', PGPASSWORD: 'x', DB_NAME: 'x' } });
    assert.equal(config.database.url, null);
    assert.deepEqual(warnings, ['database.name from DB_NAME does nothing without database.host']);
  });

  test('parts make the address, and what is special in them is escaped', () => {
    const env = { DB_HOST: '::1', DB_PORT: '5433', DB_NAME: 'my db', DB_USER: 'a@b', DB_PASSWORD: 'p/w:@' };
    const loaded = load({ env: { ...env, DB_SSLMODE: 'verify-full' } });
    assert.equal(loaded.config.database.url, 'postgres://a%40b:p%2Fw%3A%40@[::1]:5433/my%20db?sslmode=verify-full');
    assert.deepEqual(loaded.sources.get('database.url'), { layer: 'environment', name: 'DB_HOST' });
    assert(!JSON.stringify(describeConfig(loaded)).includes('p%2Fw'));
  });

  test('a folder of a socket is one too', () => {
    const env = { DB_HOST: '/var/run/postgresql', DB_USER: 'ana' };
    assert.equal(url({ env }), 'postgres://ana@localhost:5432/aldis?host=%2Fvar%2Frun%2Fpostgresql');
  });

  test('a user and a password that the file lacks come from the environment', () => {
    const env = { PGUSER: 'ana', PGPASSWORD: 'pw' };
    assert.equal(url({ yaml: 'database:\n  host: db\n', env }), 'postgres://ana:pw@db:5432/aldis');
    assert.equal(url({ yaml: 'database:\n  url: postgres://db/x\n', env }), 'postgres://ana:pw@db/x');
    assert.equal(url({ yaml: 'database:\n  url: postgres://bob@db/x\n', env }), 'postgres://bob@db/x');
  });

  test('whole or in parts, not both; the higher layer wins', () => {
    const yaml = 'database:\n  host: db\n';
    assert.equal(url({ yaml, env: { ALDIS_DATABASE_URL: 'postgres://u@other/y' } }), 'postgres://u@other/y');
    assert.equal(
      url({ yaml: 'database.url: postgres://u@other/y\n', env: { DB_HOST: 'db' } }),
      'postgres://db:5432/aldis',
    );
    assert.deepEqual(problemsOf({ env: { DB_HOST: 'db', ALDIS_DATABASE_URL: 'postgres://u@other/y' } }), [
      'database.url (ALDIS_DATABASE_URL) and database.host (DB_HOST) name two databases: take one away',
    ]);
    assert.match(problemsOf({ env: { DB_HOST: 'a b/c' } })[0] ?? '', /"a b\/c" is not a host name, an address, or/);
  });
});

describe('documented files, as they stand', () => {
  test("bulk-service's config.yaml", () => {
    const { config, warnings } = load({
      argv: [documented('bulk-config.yaml')],
      env: { PGUSER: 'svc', PGPASSWORD: 'pw' },
    });
    const { server, database, whatsapp, engine, message_queue } = config;
    assert.deepEqual([server.host, server.port], ['0.0.0.0', 8080]);
    assert.deepEqual([server.request_timeout, server.write_timeout], [30_000, 30_000]);
    assert.equal(database.url, 'postgres://svc:pw@localhost:5432/whatsapp_messages');
    assert.deepEqual([database.max_connections, database.connection_lifetime], [25, 900_000]);
    assert.deepEqual([whatsapp.api_url, whatsapp.request_timeout], ['https://graph.facebook.com', 30_000]);
    assert.deepEqual([engine.max_attempts, engine.backoff_base], [4, 5000]);
    assert.deepEqual(message_queue, { batch_size: 100, processing_interval: 5000 });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /bulk-config\.yaml:15: https:\/\/api\.whatsapp\.com\/v1 is not where .* is used$/);
  });

  test("batch-processor's .config/dev.yaml", () => {
    const { config, warnings } = load({ argv: [documented('batch-dev.yaml')], env: { APP_ENV: 'dev' } });
    assert.equal(config.service.name, 'messaging-system');
    assert.equal(config.server.port, 80);
    assert.equal(config.webhook_channel.url, 'https://webhook.site');
    assert.equal(config.webhook_channel.api_key, 'your-api-key');
    assert.equal(config.environment, 'development');
    assert.equal(config.database.url, null);
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/^.*(yaml:\d+): (\w+) is .*$/, '$1 $2')),
      ['yaml:10 mongo'],
    );
    assert.equal(redisAddress(config.redis), 'redis://localhost:6379/0');
    assert.equal(config.redis.ttl, 86_400_000);
  });

  test('another API address than the retired one is taken', () => {
    const { config, warnings } = load({ yaml: 'whatsapp:\n  api_endpoint: https://proxy.example/graph\n' });
    assert.equal(config.whatsapp.api_url, 'https://proxy.example/graph');
    assert.deepEqual(warnings, []);
  });

  test('our own key goes before a documented one, whichever comes first, and the other is told', () => {
    const own = '  request_timeout: 8s\n';
    const other = '  timeout: 9s\n';
    for (const yaml of [`whatsapp:\n${own}${other}`, `whatsapp:\n${other}${own}`]) {
      const { config, warnings } = load({ yaml });
      assert.equal(config.whatsapp.request_timeout, 8000);
      assert.match(warnings.join(), /^whatsapp\.request_timeout is set twice: aldis\.yaml:\d counts/);
    }
  });

  test('everything else that is unknown is refused as before', () => {
    assert.deepEqual(
      problemsOf({ yaml: 'client:\n  urll: x\nmongoo:\n  uri: x\n' }).map((one) => one.split(';', 1)[0]),
      ['aldis.yaml:2: unknown key client.urll', 'aldis.yaml:3: unknown key mongoo'],
    );
  });
});

describe('values that belong together', () => {
  test('a certificate without its key, a pace in part, a key to nowhere', () => {
    assert.match(problemsOf({ env: { ALDIS_SERVER_TLS_CERT_FILE: 'a.pem' } })[0] ?? '', /^server\.tls has one of/);
    assert.match(problemsOf({ env: { ALDIS_MESSAGE_QUEUE_BATCH_SIZE: '5' } })[0] ?? '', /^message_queue has one of/);
    assert.match(
      problemsOf({ yaml: 'client:\n  apiKey: k\n' })[0] ?? '',
      /^webhook_channel\.api_key is a key to nowhere/,
    );
  });

  test('proxies are addresses and ranges that there are', () => {
    const { config } = load({ env: { ALDIS_SERVER_TRUSTED_PROXIES: '10.0.0.0/8, ::1, 192.0.2.1' } });
    assert.deepEqual(config.server.trusted_proxies, ['10.0.0.0/8', '::1', '192.0.2.1']);
    for (const wrong of ['10.0.0.0/33', '10.0.0', 'proxy', '10.0.0.0/8/8', '::1/129']) {
      assert.equal(problemsOf({ env: { ALDIS_SERVER_TRUSTED_PROXIES: wrong } }).length, 1, wrong);
    }
  });
});

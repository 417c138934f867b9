import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ConfigError, type ConfigInput, describeConfig, loadConfig } from '../../src/runtime/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'aldis-config-'));
after(() => rmSync(folder, { recursive: true }));

/** Loads with nothing but what is given; `yaml` becomes aldis.yaml in the working folder. */
function load({ yaml, ...input }: ConfigInput & { yaml?: string } = {}) {
  const cwd = mkdtempSync(join(folder, 'cwd-'));
  if (yaml !== undefined) writeFileSync(join(cwd, 'aldis.yaml'), yaml);
  return { cwd, ...loadConfig({ env: {}, cwd, ...input }) };
}

function problemsOf(input: ConfigInput & { yaml?: string }): readonly string[] {
  try {
    load(input);
  } catch (error) {
    assert(error instanceof ConfigError);
    assert.equal(error.exitCode, 2);
    return error.problems;
  }
  return [];
}

describe('layers', () => {
  test('nothing given: the defaults, complete and frozen', () => {
    const { config, sources } = load();
    assert.equal(config.server.port, 8080);
    assert.equal(config.engine.lease, 5000);
    assert.equal(config.server.batch_body_limit, 32 * 1024 * 1024);
    assert.equal(config.database.url, null);
    assert.deepEqual(sources.get('server.port'), { layer: 'default', name: 'default' });
    assert.throws(() => Object.assign(config.server, { port: 1 }), TypeError);
    assert.throws(() => Object.assign(config.failpoints, { 0: 1 }), TypeError);
  });

  test('each layer wins over the one before', () => {
    const yaml = 'server:\n  host: file\n  port: 1001\n';
    const env = { ALDIS_SERVER_PORT: '1002' };
    const argv = ['--server-port', '1003'];
    assert.equal(load({ yaml }).config.server.port, 1001);
    assert.equal(load({ yaml, env }).config.server.port, 1002);
    const { config, sources } = load({ yaml, env, argv });
    assert.equal(config.server.port, 1003);
    assert.equal(config.server.host, 'file');
    assert.deepEqual(sources.get('server.port'), { layer: 'flag', name: '--server-port' });
    assert.deepEqual(sources.get('server.host'), { layer: 'file', name: 'aldis.yaml:2' });
  });

  test('of several variables the canonical one wins, then the aliases in order; empty ones are absent', () => {
    const env = { PORT: '3', SERVER_PORT: '2', MSG_SVC_SERVER_PORT: '1' };
    const { config, sources } = load({ env });
    assert.equal(config.server.port, 1);
    assert.equal(sources.get('server.port')?.name, 'MSG_SVC_SERVER_PORT');
    assert.equal(load({ env: { ...env, ALDIS_SERVER_PORT: '4' } }).config.server.port, 4);
    assert.equal(load({ env: { ALDIS_SERVER_PORT: '', PORT: '3' } }).config.server.port, 3);
  });

  test('an alias in seconds is read as seconds', () => {
    const { config } = load({ env: { REQUEST_TIMEOUT_SECONDS: '10', MAX_BACKOFF_SECONDS: '30' } });
    assert.equal(config.whatsapp.request_timeout, 10_000);
    assert.equal(config.engine.backoff_cap, 30_000);
  });

  test('the file may be named by flag or variable, and the flag wins', () => {
    const one = join(folder, 'one.yaml');
    const two = join(folder, 'two.yaml');
    writeFileSync(one, 'server.port: 11\n');
    writeFileSync(two, 'server.port: 22\n');
    assert.equal(load({ env: { ALDIS_CONFIG: one } }).config.server.port, 11);
    const { config, file } = load({ env: { ALDIS_CONFIG: one }, argv: [`--config=${two}`] });
    assert.equal(config.server.port, 22);
    assert.equal(file, two);
  });

  test('paths: a named data folder begins at the working folder, the default one lies in the project', () => {
    const { cwd, config } = load({ env: { ALDIS_DATA_DIR: 'data' } });
    assert.equal(config.data_dir, join(cwd, 'data'));
    assert.equal(load().config.data_dir, join(import.meta.dirname, '../../../.aldis'));
  });
});

describe('values', () => {
  test('times, sizes, switches and lists', () => {
    const { config } = load({
      argv: ['--embedded', '--no-simulator-enabled', '--failpoints', 'renew.before=error'],
      env: { ALDIS_ENGINE_BACKOFF_CAP: '1m30s', ALDIS_SERVER_BODY_LIMIT: '2MB', ALDIS_LOG_LEVEL: 'WARNING' },
    });
    assert.equal(config.engine.backoff_cap, 90_000);
    assert.equal(config.server.body_limit, 2_000_000);
    assert.equal(config.database.embedded, true);
    assert.equal(config.simulator.enabled, false);
    assert.equal(config.log.level, 'warn');
    assert.deepEqual(config.failpoints, [{ name: 'renew.before', action: { kind: 'error' }, at: null }]);
  });

  test('lists: YAML items, commas, repeated flags', () => {
    const expected = ['call.before_write', 'call.after_write'];
    const names = (input: ConfigInput & { yaml?: string }) => load(input).config.failpoints.map(({ name }) => name);
    assert.deepEqual(
      names({ yaml: 'failpoints:\n  - call.before_write=kill@3\n  - call.after_write=delay:5ms\n' }),
      expected,
    );
    assert.deepEqual(names({ env: { ALDIS_FAILPOINTS: 'call.before_write=kill, call.after_write=kill' } }), expected);
    assert.deepEqual(
      names({ argv: ['--failpoints=call.before_write=kill', '--failpoints', 'call.after_write=kill'] }),
      expected,
    );
  });

  test('YAML gives what was written, not what YAML makes of it', () => {
    const { config } = load({ yaml: 'service:\n  name: 0012345678901234567890\nserver:\nlog: {level: debug}\n' });
    assert.equal(config.service.name, '0012345678901234567890');
    assert.equal(config.log.level, 'debug');
  });

  test('encryption keys are read by version', () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const { config } = load({ env: { ALDIS_SECRETS_ENCRYPTION_KEYS: `1:${key},2:${key}` } });
    assert.deepEqual(config.secrets.encryption_keys, [
      { version: 1, key },
      { version: 2, key },
    ]);
  });
});

describe('what is wrong', () => {
  test('all of it is told at once, each with source, key, fault and what would be right', () => {
    const problems = problemsOf({
      yaml: 'server:\n  prot: 1\n  request_timeout: 30\nlogg: {}\n',
      env: { PORT: '80a', ALDIS_SERVR_HOST: 'x' },
      argv: ['--embeded', '--engine-lease', '1h', 'stray', '--server-host'],
    });
    assert.deepEqual(problems, [
      'aldis.yaml:2: unknown key server.prot; did you mean server.port?',
      'aldis.yaml:4: unknown key logg; did you mean log?',
      'unknown variable ALDIS_SERVR_HOST in the environment; did you mean ALDIS_SERVER_HOST?',
      'unknown flag --embeded; did you mean --embedded?',
      'unexpected argument "stray"; settings are given as --FLAG VALUE',
      '--server-host needs a value',
      'server.port from PORT: "80a" is not a whole number from 0 to 65535',
      'server.request_timeout from aldis.yaml:3: "30" is not a time from 1s to 10m, with its unit: ms, s, m, h or d',
      'engine.lease from --engine-lease: "1h" is not a time from 2s to 1m, with its unit: ms, s, m, h or d',
    ]);
  });

  test('one error is one line', () => {
    assert.throws(() => load({ env: { ALDIS_SERVER_PORT: '65536' } }), {
      message: 'configuration: server.port from ALDIS_SERVER_PORT: "65536" is not a whole number from 0 to 65535',
    });
  });

  test('a variable of a program beside us is not ours to refuse', () => {
    assert.deepEqual(
      problemsOf({ env: { ALDIS_TEST_DATABASE_URL: 'x', ALDIS_SIMULATOR_SEED: '1', ALDIS_CONFIG: '' } }),
      [],
    );
  });

  test('the file: missing, broken, of the wrong shape', () => {
    assert.deepEqual(problemsOf({ argv: ['--config', 'none.yaml'] }), ['file none.yaml: there is no such file']);
    assert.match(problemsOf({ yaml: 'a: [1\n' })[0] ?? '', /^aldis\.yaml:\d: /);
    assert.deepEqual(problemsOf({ yaml: '- 1\n' }), ['aldis.yaml:1: the file is not a section with settings below it']);
    assert.deepEqual(problemsOf({ yaml: 'server: 80\n' }), [
      'aldis.yaml:1: server is not a section with settings below it',
    ]);
    assert.deepEqual(problemsOf({ yaml: 'server:\n  port: {a: 1}\n' }), [
      'aldis.yaml:2: server.port is not a section: write its value behind the colon',
    ]);
    assert.deepEqual(problemsOf({ yaml: 'server:\n  port: [1]\n' }), [
      'server.port from aldis.yaml:2: a list is not a whole number from 0 to 65535',
    ]);
    assert.match(problemsOf({ yaml: 'url: http://a\nurl: http://b\n' })[0] ?? '', /^aldis\.yaml:2: .*unique/);
    assert.deepEqual(problemsOf({ yaml: '' }), []);
  });

  test('failpoints are read whole, and an unknown one is told', () => {
    assert.match(
      problemsOf({ env: { ALDIS_FAILPOINTS: 'renew.before=kill,settle.never=kill' } })[0] ?? '',
      /^failpoints from ALDIS_FAILPOINTS: "settle.never" is no failpoint; there are accept\.before_commit/,
    );
  });

  test('settings that do not go together', () => {
    const [lease] = problemsOf({ env: { ALDIS_ENGINE_LEASE: '3s' } });
    assert.match(lease ?? '', /^engine\.lease_renewal \(1500ms\) is more than a third of engine\.lease \(3000ms\)/);
    const production = { NODE_ENV: 'production' };
    assert.match(problemsOf({ env: production })[0] ?? '', /ALDIS_DATABASE_URL.*--embedded/);
    assert.deepEqual(problemsOf({ env: production, argv: ['--embedded'] }), []);
    assert.deepEqual(
      problemsOf({ env: { ...production, ALDIS_FAILPOINTS: 'renew.before=kill' }, argv: ['--embedded'] }),
      ['failpoints are set in production: take them away'],
    );
  });
});

describe('secrets', () => {
  const env = {
    ALDIS_DATABASE_URL: 'postgres://aldis:hidden@db:5432/aldis?sslmode=require&password=hidden',
    ALDIS_API_KEY: 'hidden-hidden-hidden-hidden',
  };

  test('are masked where the configuration is shown, with their source', () => {
    const rows = describeConfig(load({ env }));
    const row = (key: string) => rows.find((one) => one.key === key);
    assert.deepEqual(row('database.url'), {
      key: 'database.url',
      value: 'postgres://aldis:***@db:5432/aldis?sslmode=require&password=***',
      source: 'ALDIS_DATABASE_URL',
    });
    assert.equal(row('api_key')?.value, '***');
    assert.equal(row('secrets.encryption_keys')?.value, '');
    assert.deepEqual(row('engine.lease'), { key: 'engine.lease', value: '5s', source: 'default' });
    assert(!JSON.stringify(rows).includes('hidden'));
  });

  test('are not in errors', () => {
    const problems = problemsOf({
      env: {
        ALDIS_API_KEY: 'hidden',
        ALDIS_DATABASE_URL: 'mysql://a:hidden@b',
        ALDIS_SECRETS_ENCRYPTION_KEYS: '1:hidden',
      },
    });
    assert.equal(problems.length, 3);
    assert(!problems.join().includes('hidden'));
  });
});

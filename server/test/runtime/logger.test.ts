import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createLogger, type Logger, type LoggerConfig, withIds } from '../../src/runtime/logger.ts';

const folder = mkdtempSync(join(tmpdir(), 'aldis-log-'));
after(() => rmSync(folder, { recursive: true }));

const JSON_LOG: LoggerConfig = {
  log: { level: 'info', format: 'json' },
  environment: 'production',
  service: { name: 'aldis' },
};

/** What `work` logs, as text. Logging is synchronous, so it is there when `work` returns. */
function logged(work: (logger: Logger) => void, config: LoggerConfig = JSON_LOG): string {
  const path = join(folder, 'log');
  const fd = openSync(path, 'w');
  try {
    work(createLogger(config, fd));
    return readFileSync(path, 'utf8');
  } finally {
    closeSync(fd);
  }
}

describe('json', () => {
  test('an entry is a line with time, level, service and ids', () => {
    const entry: unknown = JSON.parse(
      logged((logger) => withIds(logger, { message_id: 'm1', part: 'dispatch' }).warn({ attempt: 2 }, 'late')),
    );
    assert(typeof entry === 'object' && entry !== null && 'time' in entry);
    const { time, ...rest } = entry;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      level: 'warn',
      service: 'aldis',
      pid: process.pid,
      message_id: 'm1',
      part: 'dispatch',
      attempt: 2,
      msg: 'late',
    });
  });

  test('secrets and what people write are redacted, one level down too', () => {
    const line = logged((logger) => {
      logger.info({ access_token: 'hidden', text: 'hidden', template: { name: 'hidden' } });
      logger.info({ headers: { authorization: 'hidden', 'x-api-key': 'hidden' }, message: { content: 'hidden' } });
    });
    assert(!line.includes('hidden'), line);
    assert.equal(line.split('[redacted]').length - 1, 6);
  });

  test("of an error the database's detail is left out, which holds values of the row", () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      constraint: 'wamids_pkey',
      detail: 'hidden',
    });
    const line = logged((logger) => logger.error({ err: new Error('cannot settle', { cause }) }, 'failed'));
    assert(!line.includes('hidden'));
    const { err } = JSON.parse(line);
    assert.equal(err.message, 'cannot settle');
    assert.deepEqual([err.cause.code, err.cause.constraint], ['23505', 'wamids_pkey']);
  });

  test('while something is away it is said once in a while for each part, without a stack, and counted', () => {
    const away = () => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    const entries = logged((logger) => {
      const [jobs, lease] = [withIds(logger, { part: 'jobs' }), withIds(logger, { part: 'lease' })];
      for (let i = 0; i < 100; i++) {
        jobs.warn({ error: away() }, 'a round failed');
        lease.warn({ error: away() }, 'a round failed');
        logger.warn({ error: away(), part: 'jobs' }, 'another failed');
      }
      for (const id of ['r1', 'r2']) logger.warn({ err: away(), request_id: id }, 'a request was turned away');
      for (const id of ['m1', 'm2']) logger.warn({ error: away(), message_id: id }, 'a message was not settled');
      for (const bug of ['one', 'two']) jobs.warn({ error: new Error(bug) }, 'a round failed');
    })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      entries.map(({ part, msg }) => [part ?? null, msg]),
      [
        ['jobs', 'a round failed'],
        ['lease', 'a round failed'],
        ['jobs', 'another failed'],
        [null, 'a request was turned away'],
        [null, 'a request was turned away'],
        [null, 'a message was not settled'],
        [null, 'a message was not settled'],
        ['jobs', 'a round failed'],
        ['jobs', 'a round failed'],
      ],
    );
    assert.deepEqual(
      entries.map(({ error, err }) => (error ?? err).stack !== undefined),
      [false, false, false, false, false, false, false, true, true],
    );
  });

  test('what is below the level is not written', () => {
    assert.equal(
      logged((logger) => logger.debug('no')),
      '',
    );
  });
});

test('pretty: readable, one line, no colours in a file', () => {
  const text = logged((logger) => logger.info({ port: 80 }, 'listens'), {
    ...JSON_LOG,
    log: { level: 'info', format: 'pretty' },
  });
  assert.match(text, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: listens \{"port":80\}\n$/);
});

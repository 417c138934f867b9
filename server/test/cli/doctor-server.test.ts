import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { checkServer } from '../../src/cli/doctor/server-checks.ts';
import { loadConfig } from '../../src/runtime/config.ts';

test('a server that is ready without Redis is to be seen to, one that is not ready fails', async (t) => {
  let answer = { status: 200, checks: {} as Record<string, string> };
  const server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: answer.status === 200 ? 'ready' : 'not_ready', checks: answer.checks }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { config } = loadConfig({ argv: [], env: {}, cwd: tmpdir() });
  const look = async () => {
    const { running, findings } = await checkServer(config, { url, verifyToken: null, simulatorUrl: null });
    assert.ok(running);
    return findings.map(({ status, message }) => [status, message]);
  };
  answer = { status: 200, checks: { database: 'ok', redis: 'ok' } };
  assert.deepEqual(await look(), [['ok', `running at ${url}, and ready`]]);
  answer = { status: 200, checks: { database: 'ok', redis: 'connect ECONNREFUSED 127.0.0.1:6379' } };
  assert.deepEqual(await look(), [['warn', 'running and ready, without redis: connect ECONNREFUSED 127.0.0.1:6379']]);
  answer = { status: 503, checks: { database: 'gone', redis: 'ok' } };
  assert.deepEqual(await look(), [['fail', 'running, not ready: database: gone']]);
});

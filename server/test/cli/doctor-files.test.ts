import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkFiles } from '../../src/cli/doctor/file-checks.ts';
import { loadConfig } from '../../src/runtime/config.ts';

const look = (env: Record<string, string>) => checkFiles(loadConfig({ argv: [], env, cwd: tmpdir() }).config);

test('the doctor looks where files lie', async (t) => {
  assert.deepEqual(await look({}), [], 'in the data folder, which is looked at anyway');
  const folder = mkdtempSync(join(tmpdir(), 'aldis-doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.deepEqual(await look({ ALDIS_MEDIA_FOLDER: folder }), [
    { name: 'files', status: 'ok', message: `${folder} can be written` },
  ]);
});

test('the doctor asks whether the bucket of files can be used', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(request.url?.startsWith('/ours') ? 200 : 403).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const env = {
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    ALDIS_MEDIA_S3_ENDPOINT: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    ALDIS_MEDIA_S3_PATH_STYLE: 'true',
  };
  assert.deepEqual(await look({ ...env, AWS_S3_BUCKET: 'ours' }), [
    { name: 'files', status: 'ok', message: 'the bucket ours can be used' },
  ]);
  const [refused] = await look({ ...env, AWS_S3_BUCKET: 'theirs' });
  assert.deepEqual([refused?.status, refused?.advice !== undefined], ['fail', true]);
  assert.match(refused?.message ?? '', /^the bucket theirs cannot be used/);
  assert.deepEqual(asked, ['HEAD /ours/', 'HEAD /theirs/']);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { SAMPLES } from '../media-samples.ts';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, startProvider } from './program.ts';

type Json = Record<string, unknown>;

/** A real S3 server as http://ACCESS:SECRET@HOST:PORT; without it only the disk is tried. */
const S3 = process.env['ALDIS_TEST_S3'];

test('a file is stored and sent, a customer sends one back, and both outlive the program', (t) => live(t, {}));

if (S3 !== undefined) {
  test('the same with a bucket of S3', async (t) => {
    const { protocol, host, username, password } = new URL(S3);
    const bucket = `aldis-${randomBytes(6).toString('hex')}`;
    const credentials = { accessKeyId: username, secretAccessKey: password };
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: `${protocol}//${host}`,
      credentials,
      forcePathStyle: true,
    });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    await live(t, {
      AWS_S3_BUCKET: bucket,
      AWS_ACCESS_KEY_ID: username,
      AWS_SECRET_ACCESS_KEY: password,
      ALDIS_MEDIA_S3_ENDPOINT: `${protocol}//${host}`,
      ALDIS_MEDIA_S3_PATH_STYLE: 'true',
    });
    const { KeyCount } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'messages/' }));
    assert.equal(KeyCount, 2);
    client.destroy();
  });
}

async function live(t: TestContext, media: Record<string, string>): Promise<void> {
  const folder = dataFolder(t);
  const provider = startProvider(t);
  const env = { ALDIS_SIMULATOR_URL: await provider.ready, ...media };
  const first = startProgram(t, folder, env);
  await first.ready;
  const at = credentials(folder);
  const headers = { 'x-api-key': at.api_key, 'content-type': 'application/json' };
  const ask = async (path: string, body?: object): Promise<Json> => {
    const url = path.startsWith('http') ? path : `${credentials(folder).url}/api/v1${path}`;
    const response = await fetch(url, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
    const answer = (await response.json()) as Json;
    assert.ok(response.ok, JSON.stringify(answer));
    return answer;
  };

  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(SAMPLES.png)]), 'photo.png');
  const uploaded = await fetch(`${at.url}/api/v1/media`, {
    method: 'POST',
    headers: { 'x-api-key': at.api_key },
    body: form,
  });
  const file = (await uploaded.json()) as Json;
  assert.equal(uploaded.status, 201, JSON.stringify(file));
  const to = '+628123456789';
  const sent = await ask('/messages', { to, type: 'image', content: { media_id: file['id'], text: 'Look' } });
  await until('it is sent', async () => {
    const { state, error } = await ask(`/messages/${String(sent['id'])}`);
    assert.equal(error, null);
    return ['sent', 'delivered', 'read'].includes(String(state));
  });

  const photo = { data: SAMPLES.jpeg.toString('base64'), mime_type: 'image/jpeg', caption: 'Mine' };
  const from = { phone_number_id: at.phone_number_id, from: to, type: 'image', media: photo };
  await ask(`${at.simulator_url}/_simulator/inbound`, from);
  let content: Json = {};
  await until('the file of the customer is stored', async () => {
    const { messages } = (await ask('/messages?direction=inbound')) as { messages: { content: Json }[] };
    content = messages[0]?.content ?? {};
    return 'media_id' in content;
  });
  assert.equal(content['text'], 'Mine');

  first.kill('SIGTERM');
  assert.deepEqual(await first.ended, { code: 0, signal: null });
  await startProgram(t, folder, env).ready;
  for (const [id, bytes] of [
    [file['id'], SAMPLES.png],
    [content['media_id'], SAMPLES.jpeg],
  ] as const) {
    const { url } = await ask(`/media/${String(id)}`);
    assert.deepEqual(Buffer.from(await (await fetch(String(url))).arrayBuffer()), bytes);
  }
}

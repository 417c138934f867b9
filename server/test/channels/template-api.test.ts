import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sampleUpload } from '../../src/channels/whatsapp/sample-upload.ts';
import { templateApi } from '../../src/channels/whatsapp/template-api.ts';
import { newId, type TenantId } from '../../src/domain/ids.ts';
import type { SampleUploader } from '../../src/domain/template-samples.ts';
import { fileClient } from '../../src/net/file-client.ts';
import { type GraphServer, graphError, graphServer } from '../jobs/graph-templates.ts';

let graph: GraphServer;
let uploader: SampleUploader;
const account = { tenant_id: newId<TenantId>(), id: '20001', access_token: 'token' };
const api = () => templateApi({ origin: graph.url, version: 'v26.0', timeout: 2000 });
before(async () => {
  graph = await graphServer();
  const client = fileClient({ connections: 1, stall: 2000 });
  uploader = sampleUpload({ client, origin: graph.url, version: 'v26.0', timeout: 2000, fileTimeout: 2000 });
});
beforeEach(() => {
  graph.calls.length = 0;
  graph.bend = () => undefined;
});
after(async () => {
  await uploader.close();
  await graph.close();
});

test('whatever a list holds, what can be read of it is read', async () => {
  const good = {
    id: '1',
    name: 'a',
    language: 'en',
    status: 'APPROVED',
    category: 'UTILITY',
    components: [null, { type: 'BODY' }, 5],
  };
  const data = [
    null,
    5,
    {},
    { ...good, id: 7 },
    { ...good, name: undefined },
    { ...good, id: 'x y' },
    good,
    { ...good, id: '2', parameter_format: 'ODD', quality_score: 3, rejected_reason: 'NONE' },
  ];
  graph.bend = () => ({ status: 200, body: { data } });
  const page = await api().list(account, null);
  assert.equal(page.kind, 'page');
  assert.deepEqual(
    page.kind === 'page' &&
      page.templates.map(({ provider_id, components, parameter_format, quality, reason }) => [
        provider_id,
        components.length,
        parameter_format,
        quality,
        reason,
      ]),
    [
      ['1', 1, 'POSITIONAL', null, null],
      ['2', 1, 'POSITIONAL', null, null],
    ],
  );
  assert.deepEqual(graph.calls[0]?.query['limit'], '100');
});

test('a list that is none is told as such', async () => {
  for (const [answer, detail] of [
    [{ status: 200, body: {} }, /named no templates/],
    [{ status: 200, body: '[]' }, /HTTP 200 without an answer/],
    [{ status: 502, body: '<html>' }, /HTTP 502 without an answer/],
    [graphError(190, 'expired'), /expired \(error 190\)/],
    [graphError(100, 'no such account'), /no such account \(error 100\)/],
    ['cut' as const, /./],
  ] as const) {
    graph.bend = () => answer;
    const page = await api().list(account, null);
    assert.equal(page.kind, 'failed');
    assert.match(page.kind === 'failed' ? page.detail : '', detail);
    assert.equal(await api().find(account, 'a', 'en'), 'unknown');
  }
});

async function* bytes() {
  yield Buffer.from('12');
  yield Buffer.from('345');
}
const upload = (app: string | null = null) =>
  uploader.upload(
    account,
    app,
    { filename: 'a.png', mime_type: 'image/png', size: 5, bytes: bytes() },
    new AbortController().signal,
  );

test('a sample is uploaded in a session, by the app or by that of the token', async () => {
  graph.bend = ({ path }) => ({
    status: 200,
    body: path.endsWith('/uploads') ? { id: 'upload:abc?sig=x' } : { h: '4::xyz' },
  });
  assert.deepEqual(await upload('555'), { kind: 'uploaded', handle: '4::xyz' });
  assert.deepEqual(
    graph.calls.map(({ path, token }) => [path, token]),
    [
      ['/v26.0/555/uploads', 'Bearer token'],
      ['/v26.0/upload:abc', 'OAuth token'],
    ],
  );
  assert.deepEqual(graph.calls[0]?.query, { file_name: 'a.png', file_length: '5', file_type: 'image/png' });
  assert.equal(graph.calls[1]?.body, 12345 as unknown);
  await upload();
  assert.equal(graph.calls[2]?.path, '/v26.0/app/uploads');
});

test('a sample that is not taken is refused or tried later', async () => {
  graph.bend = () => graphError(100, 'Invalid file type');
  assert.deepEqual(await upload(), {
    kind: 'refused',
    refusal: { code: 100, subcode: null, title: 'Invalid file type', detail: null },
  });
  for (const answer of [
    { status: 200, body: {} },
    { status: 200, body: { id: 'something else' } },
    { status: 500, body: 'x' },
    graphError(190, 'expired'),
    'cut' as const,
  ]) {
    graph.bend = () => answer;
    assert.equal((await upload()).kind, 'later');
  }
});

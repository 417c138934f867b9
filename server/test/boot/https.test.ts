import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runAldis } from '../cli/run-aldis.ts';
import { testDatabase } from '../database.ts';
import { conversationServer } from '../fanout/conversation-server.ts';
import { certificates } from '../http/certificates.ts';
import { until } from '../until.ts';
import { assertRefusesToStart, credentials, dataFolder, startProgram } from './program.ts';

test('over HTTPS: the command line, the simulator and its webhooks; what was sent is in the conversation service', async (t) => {
  const files = certificates();
  const [database, service] = [await testDatabase({ migrated: false }), await conversationServer()];
  t.after(async () => {
    files.remove();
    await service.close();
    await database.drop();
  });
  const { cert_file, key_file } = files.make('aldis');
  const folder = dataFolder(t);
  const program = startProgram(t, folder, {
    ALDIS_DATABASE_URL: database.url,
    ALDIS_SERVER_TLS_CERT_FILE: cert_file,
    ALDIS_SERVER_TLS_KEY_FILE: key_file,
    CONVERSATION_SERVICE_URL: service.url,
  });
  const url = await program.ready;
  assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(credentials(folder).url, url);

  const env = { ALDIS_DATA_DIR: folder };
  const stranger = await runAldis(['send', '+6281234567890', 'Hello'], env).ended;
  assert.notEqual(stranger.code, 0);
  assert.match(stranger.stderr, /certificate is not trusted: name the file of who signed it in NODE_EXTRA_CA_CERTS/);
  const trusting = { ...env, NODE_EXTRA_CA_CERTS: cert_file };
  const sent = await runAldis(['send', '+6281234567890', 'Hello', '--json'], trusting).ended;
  assert.equal(sent.code, 0, sent.stderr);
  const { id } = JSON.parse(sent.stdout) as { id: string };
  await until('it is read', async () => {
    const { stdout } = await runAldis(['status', id, '--json'], trusting).ended;
    return (JSON.parse(stdout) as { state: string }).state === 'read';
  });
  await until('it is stored there', () => service.posted.length > 0);
  const { body, tenant } = service.posted[0] ?? {};
  assert.equal(tenant, credentials(folder).tenant_id);
  assert.deepEqual([body?.sender_type, body?.content], ['llm', 'Hello']);
  assert.match(body?.whatsapp_message_id ?? '', /^wamid\./);
});

test('a certificate that cannot be used is told at start', async (t) => {
  const files = certificates();
  const database = await testDatabase({ migrated: false });
  t.after(async () => {
    files.remove();
    await database.drop();
  });
  const { cert_file, key_file } = files.make('aldis');
  writeFileSync(key_file, 'no key');
  const env = { ALDIS_DATABASE_URL: database.url, ALDIS_SERVER_TLS_CERT_FILE: cert_file };
  const start = (more: Record<string, string>) => startProgram(t, dataFolder(t), { ...env, ...more });
  await assertRefusesToStart(start({}), /server\.tls has one of cert_file and key_file/);
  await assertRefusesToStart(start({ ALDIS_SERVER_TLS_KEY_FILE: key_file }), /key_file .* holds no private key in PEM/);
});

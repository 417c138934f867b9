import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIENCE, startIssuer } from '../access/issuer.ts';
import { assertRefusesToStart, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

test('the first key speaks for users with one header more, and users speak for themselves by their tokens', async (t) => {
  const issuer = await startIssuer();
  t.after(() => issuer.close());
  const folder = dataFolder(t);
  const SECRET = 'a shared secret that nobody may ever read in a log';
  const program = startProgram(t, folder, {
    ...(await suiteDatabase(t)),
    ALDIS_AUTH_JWT_ISSUER: issuer.issuer,
    ALDIS_AUTH_JWT_AUDIENCE: AUDIENCE,
    ALDIS_AUTH_JWT_JWKS_URL: issuer.jwks_url,
    ALDIS_AUTH_JWT_TENANT_CLAIM: 'org',
    ALDIS_AUTH_JWT_ALGORITHMS: 'ES256,HS256',
    ALDIS_AUTH_JWT_SECRET: SECRET,
    ALDIS_LOG_LEVEL: 'trace',
  });
  const url = await program.ready;
  const { api_key, tenant_id } = credentials(folder);
  const ticketFor = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/api/v1/tickets`, { method: 'POST', headers });
    return { status: response.status, ...((await response.json()) as { ticket?: string; message?: string }) };
  };
  const token = await issuer.sign({ org: tenant_id });
  const shared = await issuer.sign({ org: tenant_id }, { secret: new TextEncoder().encode(SECRET) });
  const told = [
    await ticketFor({ 'x-api-key': api_key, 'x-user-id': 'ana' }),
    await ticketFor({ authorization: `Bearer ${token}` }),
    await ticketFor({ authorization: `Bearer ${shared}` }),
  ];
  for (const { status, message } of told) assert.equal(status, 201, message ?? '');
  const wrong = await issuer.sign({ org: tenant_id, aud: 'elsewhere' });
  assert.equal((await ticketFor({ authorization: `Bearer ${wrong}` })).status, 401);
  assert.equal((await ticketFor({ 'x-user-id': 'ana' })).status, 401);

  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
  // The greeting tells the key, on standard output; the log tells none.
  const log = program.stderr();
  for (const secret of [token, shared, wrong, SECRET, api_key, ...told.map(({ ticket = '' }) => ticket)]) {
    assert.ok(secret !== '' && !log.includes(secret), 'a secret is in the log');
  }
});

test('a public key that is none keeps it from starting', async (t) => {
  const program = startProgram(t, dataFolder(t), {
    ...(await suiteDatabase(t)),
    ALDIS_AUTH_JWT_ISSUER: 'https://login.example',
    ALDIS_AUTH_JWT_AUDIENCE: AUDIENCE,
    ALDIS_AUTH_JWT_TENANT: 'acme',
    ALDIS_AUTH_JWT_PUBLIC_KEY: '-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----',
  });
  await assertRefusesToStart(program, /auth\.jwt\.public_key is no public key in PEM/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, describeConfig, loadConfig } from '../../src/runtime/config.ts';

const RIGHT = {
  ALDIS_AUTH_JWT_ISSUER: 'https://login.example',
  ALDIS_AUTH_JWT_AUDIENCE: 'chat,app',
  ALDIS_AUTH_JWT_JWKS_URL: 'https://login.example/keys',
  ALDIS_AUTH_JWT_TENANT: 'acme',
};
const SECRET = 'a-hidden-secret-of-more-than-32-characters';

const load = (env: Record<string, string>) => loadConfig({ env, cwd: import.meta.dirname });

function problemsOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.join('\n');
  }
  return '';
}

test('tokens are off unless an issuer is named; what is said of them then does nothing, and that is told', () => {
  const { config } = load({});
  assert.equal(config.auth.jwt.issuer, null);
  assert.deepEqual(config.auth.jwt.algorithms, ['RS256', 'ES256', 'EdDSA']);
  assert.deepEqual(config.auth.user_scopes, ['conversations:read', 'conversations:write']);
  const { warnings } = load({ ALDIS_AUTH_JWT_JWKS_URL: 'https://login.example/keys' });
  assert.match(
    warnings.join(),
    /auth\.jwt\.jwks_url from ALDIS_AUTH_JWT_JWKS_URL does nothing without auth\.jwt\.issuer/,
  );
});

test('an issuer needs an audience, a tenant, and keys of the kinds that are listed', () => {
  const { config } = load(RIGHT);
  assert.deepEqual(config.auth.jwt.audience, ['chat', 'app']);
  const without = (name: keyof typeof RIGHT, more: Record<string, string> = {}) => {
    const { [name]: _, ...rest } = RIGHT;
    return problemsOf({ ...rest, ...more });
  };
  assert.match(without('ALDIS_AUTH_JWT_AUDIENCE'), /auth\.jwt\.audience names nobody/);
  assert.match(without('ALDIS_AUTH_JWT_TENANT'), /set auth\.jwt\.tenant or auth\.jwt\.tenant_claim/);
  assert.equal(without('ALDIS_AUTH_JWT_TENANT', { ALDIS_AUTH_JWT_TENANT_CLAIM: 'https://acme.example/org' }), '');
  assert.match(without('ALDIS_AUTH_JWT_JWKS_URL'), /needs public keys/);
  const pem = '-----BEGIN PUBLIC KEY-----\\nMCow\\n-----END PUBLIC KEY-----';
  assert.equal(without('ALDIS_AUTH_JWT_JWKS_URL', { ALDIS_AUTH_JWT_PUBLIC_KEY: pem }), '');
  assert.match(problemsOf({ ...RIGHT, ALDIS_AUTH_JWT_PUBLIC_KEY: pem }), /has both jwks_url and public_key/);
  assert.match(problemsOf({ ...RIGHT, ALDIS_AUTH_JWT_SECRET: SECRET }), /belong together/);
  assert.match(problemsOf({ ...RIGHT, ALDIS_AUTH_JWT_ALGORITHMS: 'ES256,HS256' }), /belong together/);
  const shared = { ALDIS_AUTH_JWT_SECRET: SECRET, ALDIS_AUTH_JWT_ALGORITHMS: 'HS256' };
  assert.equal(without('ALDIS_AUTH_JWT_JWKS_URL', shared), '');
});

test('what would let too much in is no value', () => {
  for (const algorithm of ['none', 'None', 'rs256', 'RSA1_5', '']) {
    assert.match(problemsOf({ ...RIGHT, ALDIS_AUTH_JWT_ALGORITHMS: `RS256,${algorithm}` }), /auth\.jwt\.algorithms/);
  }
  for (const scope of ['admin', 'act_as', 'metrics:read', 'accounts:write', 'webhooks:write', 'events:read']) {
    assert.match(problemsOf({ ALDIS_AUTH_USER_SCOPES: scope }), /auth\.user_scopes/);
  }
  assert.match(problemsOf({ ALDIS_AUTH_JWT_PUBLIC_KEY: '-----BEGIN PRIVATE KEY-----' }), /auth\.jwt\.public_key/);
  assert.match(problemsOf({ ALDIS_AUTH_JWT_USER_CLAIM: 'a "b"' }), /the name of a claim/);
});

test('a gateway is an address or a range, and speaks for a tenant', () => {
  const gateway = { ALDIS_AUTH_GATEWAY_ADDRESSES: '10.0.0.0/8,::1', ALDIS_AUTH_GATEWAY_TENANT: 'acme' };
  assert.deepEqual(load(gateway).config.auth.gateway.addresses, ['10.0.0.0/8', '::1']);
  assert.match(
    problemsOf({ ALDIS_AUTH_GATEWAY_ADDRESSES: '10.0.0.1' }),
    /auth\.gateway\.addresses speak for nobody: set auth\.gateway\.tenant/,
  );
  for (const wrong of ['10.0.0.0/33', 'gateway.local', '*', '10.0.0']) {
    assert.match(problemsOf({ ...gateway, ALDIS_AUTH_GATEWAY_ADDRESSES: wrong }), /auth\.gateway\.addresses/);
  }
});

test('the shared secret is shown nowhere', () => {
  const env = { ...RIGHT, ALDIS_AUTH_JWT_SECRET: SECRET, ALDIS_AUTH_JWT_ALGORITHMS: 'ES256,HS256' };
  const rows = describeConfig(load(env));
  assert.equal(rows.find(({ key }) => key === 'auth.jwt.secret')?.value, '***');
  assert.ok(!JSON.stringify(rows).includes('hidden'));
  const short = problemsOf({ ...env, ALDIS_AUTH_JWT_SECRET: 'hidden' });
  assert.match(short, /the value is not 32 characters or more/);
  assert.ok(!short.includes('hidden'));
});

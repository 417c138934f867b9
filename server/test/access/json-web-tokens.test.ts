import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generateKeyPair, SignJWT } from 'jose';
import { createTokenReader, looksLikeToken, type TokenSettings } from '../../src/access/json-web-tokens.ts';
import { createSigningKeys } from '../../src/access/signing-keys.ts';
import { newApiKey } from '../../src/domain/api-key.ts';
import { AldisError } from '../../src/domain/errors.ts';
import { askKeySet } from '../../src/outside/signing-keys.ts';
import { until } from '../until.ts';
import { AUDIENCE, type Issuer, startIssuer } from './issuer.ts';

let issuer: Issuer;
before(async () => {
  issuer = await startIssuer();
});
after(() => issuer.close());

const SECRET = 'a secret of more than thirty-two characters';

/** A reader at a time of our own. */
function reader(change: Partial<TokenSettings> = {}, from: Issuer | null = issuer) {
  let passed = 0;
  const clock = { now: () => Date.now() + passed, monotonic: () => performance.now() + passed };
  const settings: TokenSettings = {
    issuer: issuer.issuer,
    audience: ['other', AUDIENCE],
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    public_key: null,
    secret: null,
    user_claim: 'sub',
    tenant_claim: null,
    tenant: 'acme',
    scopes_claim: null,
    scopes: ['conversations:read', 'conversations:write'],
    clock_tolerance: 5000,
    ...change,
  };
  const warned: unknown[] = [];
  const logger = { warn: (about: unknown) => void warned.push(about) };
  const published = from && createSigningKeys({ fetch: () => askKeySet(from.jwks_url, 1000), clock, logger });
  const { read } = createTokenReader({ settings, published, clock });
  return {
    read,
    warned,
    pass(ms: number) {
      passed += ms;
    },
    /** The code of the error, and why. */
    async refused(token: string): Promise<string> {
      const error = await read(token).then(
        () => assert.fail('it was taken'),
        (why: unknown) => why,
      );
      assert.ok(error instanceof AldisError, String(error));
      // Nothing that the token says is said again.
      for (const part of token.split('.')) assert.ok(part.length < 8 || !error.message.includes(part));
      return `${error.code} ${error.details?.['reason'] ?? ''}`.trim();
    },
  };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({ iss: issuer.issuer, aud: AUDIENCE, sub: 'ana', exp: Math.floor(Date.now() / 1000) + 60 });

test('a token of the issuer tells its user, his tenant and what he may, until it expires', async () => {
  const { read } = reader();
  const before = Date.now();
  const { expires_at, ...told } = await read(await issuer.sign({ sub: 'ана-7' }));
  assert.deepEqual(told, { user: 'ана-7', tenant: 'acme', scopes: ['conversations:read', 'conversations:write'] });
  assert.ok(expires_at > before + 303_000 && expires_at < before + 307_000, `${expires_at - before}`);
});

test('what is signed in no way that is listed is refused, whatever it says', async () => {
  const { refused } = reader();
  const head = (alg: string) => `${encode({ alg })}.${encode(claims())}`;
  assert.equal(await refused(`${head('none')}.`), 'unauthorized algorithm');
  assert.equal(await refused(`${head('None')}.`), 'unauthorized algorithm');
  assert.equal(await refused(`${head('RS1')}.AAAA`), 'unauthorized algorithm');
  assert.equal(await refused(`${encode({ alg: 7 })}.${encode(claims())}.AAAA`), 'unauthorized malformed');
  assert.equal(await refused(`${encode({})}.${encode(claims())}.AAAA`), 'unauthorized malformed');
  assert.equal(
    await refused(`${encode({ alg: 'ES256', crit: ['x'], x: 1 })}.${encode(claims())}.AAAA`),
    'unauthorized algorithm',
  );
});

test('a public key is no secret: HS256 made with it is refused, also where HS256 is allowed', async () => {
  const rsa = await startIssuer('RS256');
  try {
    const pem = await rsa.publicKey();
    const forged = await rsa.sign({ iss: issuer.issuer }, { secret: new TextEncoder().encode(pem) });
    const onlyPublic = reader({ public_key: pem }, null);
    assert.equal(await onlyPublic.refused(forged), 'unauthorized algorithm');
    const both = reader({ public_key: pem, secret: SECRET, algorithms: ['RS256', 'HS256'] }, null);
    assert.equal(await both.refused(forged), 'unauthorized signature');
    const listed = reader({ public_key: pem, algorithms: ['RS256', 'HS256'] }, null);
    assert.equal(await listed.refused(forged), 'unauthorized algorithm');
    const published = reader({ algorithms: ['RS256', 'HS256'], secret: SECRET }, rsa);
    assert.equal(await published.refused(forged), 'unauthorized signature');
    // And each takes what it should.
    const right = await rsa.sign({ iss: issuer.issuer });
    assert.equal((await both.read(right)).user, 'ana');
    assert.equal((await onlyPublic.read(right)).user, 'ana');
    const shared = await rsa.sign({ iss: issuer.issuer }, { secret: new TextEncoder().encode(SECRET) });
    assert.equal((await both.read(shared)).user, 'ana');
    // The key is of one kind, the algorithm of another.
    const { privateKey } = await generateKeyPair('ES256');
    const other = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    assert.equal(await reader({ public_key: pem }, null).refused(other), 'unauthorized signature');
  } finally {
    await rsa.close();
  }
});

test('a public key may be written in one line', async () => {
  const pem = (await issuer.publicKey()).replaceAll('\n', '\\n');
  assert.equal((await reader({ public_key: pem }, null).read(await issuer.sign())).user, 'ana');
  assert.throws(() => reader({ public_key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }, null));
});

test('each thing that is wrong with a token is told by its name', async () => {
  const { refused, read } = reader();
  const now = Math.floor(Date.now() / 1000);
  const sign = issuer.sign;
  assert.equal(await refused(await sign({ iss: 'https://elsewhere.example' })), 'unauthorized issuer');
  assert.equal(await refused(await sign({ iss: undefined })), 'unauthorized issuer');
  assert.equal(await refused(await sign({ aud: 'someone-else' })), 'unauthorized audience');
  assert.equal(await refused(await sign({ aud: undefined })), 'unauthorized audience');
  assert.equal(await refused(await sign({}, { expiresIn: -6 })), 'unauthorized expired');
  assert.equal(await refused(await sign({}, { expiresIn: null })), 'unauthorized claims');
  assert.equal(await refused(await sign({ nbf: now + 60 })), 'unauthorized not_yet_valid');
  assert.equal((await read(await sign({ nbf: now + 2 }))).user, 'ana', 'within the tolerance');
  assert.equal((await read(await sign({}, { expiresIn: -2 }))).user, 'ana', 'within the tolerance');
  assert.equal(await refused(await sign({ sub: undefined })), 'unauthorized claims');
  assert.equal(await refused(await sign({ sub: '' })), 'unauthorized user');
  assert.equal(await refused(await sign({ sub: 'a\nb' })), 'unauthorized user');
  assert.equal(await refused(await sign({ sub: 'x'.repeat(129) })), 'unauthorized user');
  assert.equal(await refused(await sign({ sub: { id: 1 } as unknown as string })), 'unauthorized user');
  const right = await sign();
  const [head, body, signature = ''] = right.split('.');
  assert.equal(await refused(`${head}.${encode({ ...claims(), sub: 'eve' })}.${signature}`), 'unauthorized signature');
  assert.equal(await refused(`${head}.${body}.`), 'unauthorized signature');
  assert.equal(await refused(`${head}.${body}.${'A'.repeat(signature.length)}`), 'unauthorized signature');
  assert.equal(
    await refused(`${head}.${Buffer.from('[]').toString('base64url')}.${signature}`),
    'unauthorized signature',
  );
  assert.equal(await refused(`eyJhbGciOi.${body}.${signature}`), 'unauthorized malformed');
  assert.equal(await refused(`${right}.x.y`), 'unauthorized malformed');
  assert.equal(await refused(await sign({ pad: 'x'.repeat(9000) })), 'unauthorized too_long');
});

test('a token that ends beyond all calendars ends with the year 9999', async () => {
  const { read } = reader();
  for (const exp of [Date.now(), Date.now() * 1000, 1e300]) {
    const { expires_at } = await read(await issuer.sign({ exp }));
    assert.equal(new Date(expires_at).toISOString(), '9999-12-31T23:59:59.999Z', String(exp));
  }
});

test('tenant, user and scopes come from the claims that are named', async () => {
  const named = reader({ user_claim: 'uid', tenant_claim: 'org', scopes_claim: 'scope' });
  const told = await named.read(
    await issuer.sign({ uid: 42, org: 'acme-2', scope: 'openid conversations:read admin' }),
  );
  assert.deepEqual([told.user, told.tenant, told.scopes], ['42', 'acme-2', ['conversations:read']]);
  const listed = await named.read(await issuer.sign({ uid: 'b', org: 'o', scope: ['conversations:write', 7] }));
  assert.deepEqual(listed.scopes, ['conversations:write']);
  assert.deepEqual((await named.read(await issuer.sign({ uid: 'b', org: 'o' }))).scopes, []);
  assert.equal(await named.refused(await issuer.sign({ uid: 'b' })), 'unauthorized tenant');
  assert.equal(await named.refused(await issuer.sign({ uid: 1.5, org: 'o' })), 'unauthorized user');
  assert.equal(await named.refused(await issuer.sign({ org: 'o' })), 'unauthorized claims');
});

test('the keys of the issuer are read once, and again when a new one appears, at most every 30 s', async () => {
  const rotating = await startIssuer();
  try {
    const { read, refused, pass } = reader({ issuer: rotating.issuer }, rotating);
    const first = await rotating.sign();
    await Promise.all(Array.from({ length: 20 }, () => read(first)));
    assert.equal(rotating.asked, 1);

    await rotating.rotate();
    const second = await rotating.sign();
    await Promise.all(Array.from({ length: 20 }, () => read(second)));
    assert.equal(rotating.asked, 2);
    assert.equal((await read(first)).user, 'ana', 'the old one is still published');

    // Somebody signs with keys of his own: that costs the issuer nothing for half a minute.
    const stranger = await startIssuer();
    const foreign = await stranger.sign(
      { iss: rotating.issuer },
      { kid: await stranger.rotate().then(() => stranger.rotate()) },
    );
    await stranger.close();
    for (let i = 0; i < 10; i++) assert.equal(await refused(foreign), 'unauthorized unknown_key');
    assert.equal(rotating.asked, 2);
    const third = await rotating.rotate(true);
    assert.equal(await refused(await rotating.sign({}, { kid: third })), 'unauthorized unknown_key');
    pass(30_000);
    assert.equal((await read(await rotating.sign({}, { kid: third }))).user, 'ana');
    assert.equal(rotating.asked, 3);
    // What is published no longer counts no longer.
    assert.equal(await refused(await rotating.sign({}, { kid: 'key-1' })), 'unauthorized unknown_key');
  } finally {
    await rotating.close();
  }
});

test('a token that names no key is checked with the only one, and refused when there are several', async () => {
  const single = await startIssuer();
  try {
    const { read, refused, pass } = reader({ issuer: single.issuer }, single);
    const nameless = await single.sign({}, { nameless: true });
    assert.equal((await read(nameless)).user, 'ana');
    await single.rotate();
    pass(6 * 60_000);
    await read(await single.sign({}, { expiresIn: 3600 }));
    assert.equal(await refused(await single.sign({}, { nameless: true, expiresIn: 3600 })), 'unauthorized unknown_key');
  } finally {
    await single.close();
  }
});

test('while the issuer is away what was read stays good for a day; without anything read it is 503', async () => {
  const away = await startIssuer();
  try {
    away.answer(500);
    const fresh = reader({ issuer: away.issuer }, away);
    const token = await away.sign({}, { expiresIn: 7 * 86_400 });
    assert.equal(await fresh.refused(token), 'unavailable');
    assert.equal(await fresh.refused(token), 'unavailable');
    assert.equal(away.asked, 1, 'it is left alone for a second');
    fresh.pass(1000);
    assert.equal(await fresh.refused(token), 'unavailable');
    assert.equal(away.asked, 2);
    assert.equal(fresh.warned.length, 1, 'it is logged now and then, not at each try');
    fresh.pass(30_000);
    assert.equal(await fresh.refused(token), 'unavailable');
    assert.equal(fresh.warned.length, 2);
    away.answer(200);
    fresh.pass(1000);
    assert.equal((await fresh.read(token)).user, 'ana');

    away.answer(503);
    await away.rotate();
    const unknown = await away.sign({}, { expiresIn: 7 * 86_400 });
    assert.equal(await fresh.refused(unknown), 'unavailable', 'nobody knows whether the key is a new one');
    fresh.pass(12 * 3_600_000);
    const { asked } = away;
    assert.equal((await fresh.read(token)).user, 'ana');
    await until('it is asked again beside the requests', () => away.asked > asked);
    fresh.pass(13 * 3_600_000);
    assert.equal(await fresh.refused(token), 'unavailable');
    away.answer(200);
    fresh.pass(1000);
    assert.equal((await fresh.read(unknown)).user, 'ana');
  } finally {
    await away.close();
  }
});

test('what is no set of keys is none', async () => {
  const { createServer } = await import('node:http');
  for (const [status, body] of [
    [200, '<html>'],
    [200, '[]'],
    [200, '{"keys": 7}'],
    [200, '{"keys": [7]}'],
    [200, JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })],
    [302, '{"keys": []}'],
  ] as const) {
    const server = createServer((_request, response) => response.writeHead(status, { location: '/x' }).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await assert.rejects(askKeySet(`http://127.0.0.1:${port}`, 1000), `${status} ${body.slice(0, 20)}`);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('tokens are told from keys by their looks', async () => {
  assert.ok(looksLikeToken(await issuer.sign()));
  assert.ok(looksLikeToken(`${encode({ alg: 'none' })}.${encode({})}.`));
  assert.ok(looksLikeToken('eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d'));
  for (const key of [newApiKey(), 'a.b.c', 'eyJx', 'eyJx.y', '', 'my.own-key+with/signs=and.dots', 'eyJ a.b.c']) {
    assert.equal(looksLikeToken(key), false, key);
  }
});

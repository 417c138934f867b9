import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** Who signs tokens, as a real server that publishes its keys. */
export interface Issuer {
  issuer: string;
  jwks_url: string;
  /** Tokens of users: signed by the newest key unless another is given. The claims of `claims` go before the right ones. */
  sign(claims?: JWTPayload & Record<string, unknown>, options?: SignOptions): Promise<string>;
  /** Draws a new key. What was published before stays, unless `alone`. @returns its name (kid). */
  rotate(alone?: boolean): Promise<string>;
  /** The newest public key as PEM. */
  publicKey(): Promise<string>;
  /** How often its keys were asked for. */
  readonly asked: number;
  /** Answers nothing but this status from now on; 200 answers again. */
  answer(status: number): void;
  close(): Promise<void>;
}

export interface SignOptions {
  /** The key of this name. */
  kid?: string;
  /** Without a name in the head of the token. */
  nameless?: boolean;
  /** Signs with this secret by HS256. */
  secret?: Uint8Array;
  /** Seconds from now. */
  expiresIn?: number | null;
}

interface SigningKey {
  private: CryptoKey;
  public: CryptoKey;
  published: JWK;
}

export const AUDIENCE = 'aldis';

export async function startIssuer(algorithm = 'ES256'): Promise<Issuer> {
  const keys = new Map<string, SigningKey>();
  let published: JWK[] = [];
  let newest = '';
  let asked = 0;
  let status = 200;

  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function rotate(alone = false): Promise<string> {
    newest = `key-${keys.size + 1}`;
    const pair = await generateKeyPair(algorithm, { extractable: true });
    const key = {
      private: pair.privateKey,
      public: pair.publicKey,
      published: { ...(await exportJWK(pair.publicKey)), kid: newest, alg: algorithm, use: 'sig' },
    };
    keys.set(newest, key);
    published = alone ? [key.published] : [...published, key.published];
    return newest;
  }
  await rotate();
  const keyNamed = (kid: string): SigningKey => {
    const key = keys.get(kid);
    if (key === undefined) throw new Error(`there is no key ${kid}`);
    return key;
  };

  return {
    issuer,
    jwks_url: `${issuer}/keys`,
    async sign(claims = {}, { kid = newest, nameless = false, secret, expiresIn = 300 } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const token = new SignJWT({
        iss: issuer,
        aud: AUDIENCE,
        sub: 'ana',
        ...(expiresIn !== null && { exp: now + expiresIn }),
        ...claims,
      });
      if (secret) return token.setProtectedHeader({ alg: 'HS256' }).sign(secret);
      return token.setProtectedHeader({ alg: algorithm, ...(!nameless && { kid }) }).sign(keyNamed(kid).private);
    },
    rotate,
    publicKey: () => exportSPKI(keyNamed(newest).public),
    get asked() {
      return asked;
    },
    answer(next) {
      status = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

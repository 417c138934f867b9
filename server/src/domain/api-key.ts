import { hash, randomBytes } from 'node:crypto';

/** A new API key: 192 random bits behind a prefix that tells what it is. It is shown once; only its hash is stored. */
export function newApiKey(): string {
  return `aldis_${randomBytes(24).toString('base64url')}`;
}

/** What is stored of a key: its SHA-256. */
export function hashApiKey(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/**
 * What a key may be allowed. `admin` is the operator's: it may everything, of every kind.
 */
export const SCOPES = [
  'messages:write',
  'messages:read',
  'events:read',
  'metrics:read',
  'accounts:write',
  'accounts:read',
  'templates:write',
  'templates:read',
  'media:write',
  'media:read',
  'contacts:write',
  'contacts:read',
  'exports:write',
  'conversations:write',
  'conversations:read',
  'webhooks:write',
  'webhooks:read',
  'act_as',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** What a tenant's own software may: everything but to speak for others and to operate. */
export const TENANT_SCOPES: readonly Scope[] = SCOPES.filter((scope) => scope !== 'act_as' && scope !== 'admin');

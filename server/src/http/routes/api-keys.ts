import { may } from '../../access/principal.ts';
import type { Scope } from '../../domain/api-key.ts';
import { AldisError } from '../../domain/errors.ts';
import { type ApiKeyId, isUuid } from '../../domain/ids.ts';
import { parseTime, TIME_FORMAT } from '../../domain/times.ts';
import { type ApiKeyRecord, findApiKeyRecord, listApiKeyRecords } from '../../store/api-key-records.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp, HttpRequest } from '../typebox-provider.ts';
import { API_KEY_ROUTES, ApiKeyPage } from './api-keys.schema.ts';

/** What a key may do that was made without scopes: what a customer's program does. */
const USUAL_SCOPES: readonly Scope[] = ['messages:write', 'messages:read', 'events:read'];

/** API keys: for an operator's key alone. */
export function apiKeyRoutes(app: HttpApp, { db, keys, clock, manage }: HttpDeps): void {
  const operating = guard(keys, 'admin');

  app.post('/api/v1/api-keys', { schema: API_KEY_ROUTES.create, onRequest: operating }, async (request, reply) => {
    const { tenant_id, name, scopes = [...USUAL_SCOPES], dialect = 'aldis', expires_at = null } = request.body;
    mayGive(request, scopes);
    const expiry = expiryOf(expires_at, clock.now());
    const tenant = await tenantInQuestion(db, request, tenant_id);
    const made = await manage.keys.create(tenant, { name, scopes, dialect, expires_at: expiry });
    // The one answer with a secret in it: nobody between may keep it.
    return reply.code(201).header('cache-control', 'no-store').send(made);
  });

  app.get(
    '/api/v1/api-keys',
    { schema: API_KEY_ROUTES.list, onRequest: operating, preValidation: integersOf(ApiKeyPage) },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listApiKeyRecords(db, tenant, before, limit),
      );
      return { api_keys: rows, next_cursor };
    },
  );

  app.get(
    '/api/v1/api-keys/:id',
    { schema: { ...API_KEY_ROUTES.read, params: IdParameter }, onRequest: operating },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return found((await findApiKeyRecord(db, tenant, keyId(request.params.id))) ?? 'not_found');
    },
  );

  app.patch(
    '/api/v1/api-keys/:id',
    { schema: { ...API_KEY_ROUTES.change, params: IdParameter }, onRequest: operating },
    async (request) => {
      const { expires_at, ...rest } = request.body;
      const change = expires_at === undefined ? rest : { ...rest, expires_at: expiryOf(expires_at, clock.now()) };
      mayGive(request, rest.scopes ?? []);
      const id = keyId(request.params.id);
      if (rest.scopes !== undefined || expires_at !== undefined)
        refuseOwn(request, id, 'change the scopes or expiry of');
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return found(await manage.keys.change(tenant, id, change));
    },
  );

  app.delete(
    '/api/v1/api-keys/:id',
    { schema: { ...API_KEY_ROUTES.revoke, params: IdParameter }, onRequest: operating },
    async (request) => {
      const id = keyId(request.params.id);
      refuseOwn(request, id, 'revoke');
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return found(await manage.keys.revoke(tenant, id));
    },
  );
}

/** Nobody gives what he does not have. @throws {AldisError} `forbidden` */
function mayGive(request: HttpRequest, scopes: readonly Scope[]): void {
  const scope = scopes.find((one) => !may(principalOf(request), one));
  if (scope !== undefined) {
    throw new AldisError('forbidden', `A key without the scope ${scope} cannot give it.`, { field: 'scopes' });
  }
}

/** So that an operator does not lock himself out by a slip. @throws {AldisError} `in_use` */
function refuseOwn(request: HttpRequest, id: ApiKeyId, what: string): void {
  if (principalOf(request).key_id === id) {
    throw new AldisError('in_use', `This is the key that asks: ${what} it with another one.`, { field: 'id' });
  }
}

/** @throws {AldisError} `invalid_field` for what is no time, or is over. */
function expiryOf(text: string | null, now: number): Date | null {
  if (text === null) return null;
  const time = parseTime(text);
  if (time === null || time <= now) {
    const wanted = time === null ? TIME_FORMAT : 'in the future; to end a key now, revoke it';
    throw new AldisError('invalid_field', `expires_at must be ${wanted}.`, { field: 'expires_at' });
  }
  return new Date(time);
}

/** What is no id of ours is not found, like the id of another tenant's. */
function keyId(text: string): ApiKeyId {
  if (!isUuid(text)) throw noKey();
  return text as ApiKeyId;
}

function found(result: ApiKeyRecord | 'not_found'): ApiKeyRecord {
  if (result === 'not_found') throw noKey();
  return result;
}

function noKey(): AldisError {
  return new AldisError('not_found', 'There is no key of that id.', { field: 'id' });
}

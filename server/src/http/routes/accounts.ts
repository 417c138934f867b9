import { AldisError } from '../../domain/errors.ts';
import { type EventId, type TenantId, timeOfId } from '../../domain/ids.ts';
import { type AccountRecord, findAccount, listAccountAlerts, listAccounts } from '../../store/accounts.read.ts';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { namedPage, recordPage } from '../record-page.ts';
import { createResultWaits } from '../result-waits.ts';
import { IdParameter, NO_BODY } from '../schemas.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp, HttpReply } from '../typebox-provider.ts';
import { ACCOUNT_ROUTES, AccountPage } from './accounts.schema.ts';

/** Milliseconds that an answer waits for what WhatsApp says. */
const PATIENCE = 5_000;

/** A tenant's WhatsApp Business Accounts. */
export function accountRoutes(app: HttpApp, { db, keys, manage, signals, settings }: HttpDeps): void {
  const reading = guard(keys, 'accounts:read');
  const writing = guard(keys, 'accounts:write');
  const waits = createResultWaits({ signals });
  const patience = Math.min(PATIENCE, settings.send_timeout);
  app.addHook('preClose', async () => waits.stop());
  const one = { params: IdParameter };

  /** The account once WhatsApp has been asked since `before` was written, or as it is when that takes too long. */
  async function looked(tenant: TenantId, before: AccountRecord, reply: HttpReply): Promise<AccountRecord> {
    const since = before.checked_at?.getTime() ?? 0;
    const found = await waits.until(
      `account:${before.id}`,
      patience,
      whenGone(reply),
      () => findAccount(db, tenant, before.id),
      (account) => account === null || (account.checked_at?.getTime() ?? 0) > since,
    );
    return found ?? before;
  }

  app.post('/api/v1/accounts', { schema: ACCOUNT_ROUTES.create, onRequest: writing }, async (request, reply) => {
    const { tenant_id, ...account } = request.body;
    const tenant = await tenantInQuestion(db, request, tenant_id);
    const made = done(await manage.accounts.create(tenant, account));
    return reply.code(202).send(await looked(tenant, made, reply));
  });

  app.get(
    '/api/v1/accounts',
    { schema: ACCOUNT_ROUTES.list, onRequest: reading, preValidation: integersOf(AccountPage) },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { rows, next_cursor } = await namedPage(request.query, (after, limit) =>
        listAccounts(db, tenant, after, limit),
      );
      return { accounts: rows, next_cursor };
    },
  );

  app.get(
    '/api/v1/accounts/:id',
    { schema: { ...ACCOUNT_ROUTES.read, ...one }, onRequest: reading },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return done((await findAccount(db, tenant, request.params.id)) ?? 'not_found');
    },
  );

  app.patch(
    '/api/v1/accounts/:id',
    { schema: { ...ACCOUNT_ROUTES.change, ...one }, onRequest: writing },
    async (request, reply) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const changed = done(await manage.accounts.change(tenant, request.params.id, request.body));
      return looked(tenant, changed, reply);
    },
  );

  app.delete(
    '/api/v1/accounts/:id',
    { schema: { ...ACCOUNT_ROUTES.remove, ...one }, onRequest: writing },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { id } = done(await manage.accounts.remove(tenant, request.params.id));
      return { id, deleted: true };
    },
  );

  app.post(
    '/api/v1/accounts/:id/sync',
    { schema: { ...ACCOUNT_ROUTES.sync, ...one, body: NO_BODY }, onRequest: writing },
    async (request, reply) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const asked = done(await manage.accounts.sync(tenant, request.params.id));
      return reply.code(202).send(await looked(tenant, asked, reply));
    },
  );

  app.get(
    '/api/v1/accounts/:id/alerts',
    { schema: { ...ACCOUNT_ROUTES.alerts, ...one }, onRequest: reading, preValidation: integersOf(AccountPage) },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { id } = done((await findAccount(db, tenant, request.params.id)) ?? 'not_found');
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listAccountAlerts(db, tenant, id, before, limit),
      );
      const alerts = rows.map((alert) => ({ ...alert, time: new Date(timeOfId(alert.id as EventId)) }));
      return { alerts, next_cursor };
    },
  );

  app.get(
    '/api/v1/accounts/:id/subscribed_apps',
    { schema: { ...ACCOUNT_ROUTES.subscription, ...one }, onRequest: reading },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return subscriptionOf(done((await findAccount(db, tenant, request.params.id)) ?? 'not_found'));
    },
  );

  for (const [method, subscribe, schema] of [
    ['POST', true, ACCOUNT_ROUTES.subscribe],
    ['DELETE', false, ACCOUNT_ROUTES.unsubscribe],
  ] as const) {
    app.route({
      method,
      url: '/api/v1/accounts/:id/subscribed_apps',
      schema: { ...schema, ...one, ...(method === 'POST' && { body: NO_BODY }) },
      onRequest: writing,
      handler: async (request, reply) => {
        const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
        const changed = done(await manage.accounts.change(tenant, request.params.id, { subscribe }));
        return reply.code(202).send(subscriptionOf(await looked(tenant, changed, reply)));
      },
    });
  }
}

function subscriptionOf({ id, app, subscribe_wanted, subscribed, sync_detail, checked_at }: AccountRecord) {
  return { account_id: id, app, wanted: subscribe_wanted, subscribed, detail: sync_detail, checked_at };
}

/** Tells when nobody is there any more to be answered. */
function whenGone({ raw }: HttpReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}

/** The account, or the error that stands for what was found instead. */
function done(result: AccountRecord | 'not_found' | 'exists' | 'taken' | 'in_use'): AccountRecord {
  switch (result) {
    case 'not_found':
      throw new AldisError('not_found', 'There is no account of that id.', { field: 'id' });
    case 'exists':
      throw new AldisError('already_exists', 'There is this account already: give it a token by PATCH.', {
        field: 'id',
      });
    case 'taken':
      throw new AldisError('already_exists', "The account is another tenant's already.", {
        field: 'id',
      });
    case 'in_use':
      throw new AldisError('in_use', 'A sender of the account has sent or received: disable its senders instead.', {
        field: 'id',
      });
    default:
      return result;
  }
}

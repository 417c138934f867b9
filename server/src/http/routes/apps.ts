import { AldisError } from '../../domain/errors.ts';
import { type AppRecord, findAppRecord, listAppRecords } from '../../store/apps.read.ts';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { namedPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { APP_ROUTES, AppPage } from './apps.schema.ts';

/** Meta apps, whose secrets sign webhooks: for an operator's key alone. */
export function appRoutes(app: HttpApp, { db, keys, manage }: HttpDeps): void {
  const operating = guard(keys, 'admin');
  const one = { params: IdParameter };

  app.post('/api/v1/apps', { schema: APP_ROUTES.create, onRequest: operating }, async (request, reply) =>
    reply.code(201).send(done(await manage.apps.create(request.body))),
  );

  app.get(
    '/api/v1/apps',
    { schema: APP_ROUTES.list, onRequest: operating, preValidation: integersOf(AppPage) },
    async (request) => {
      const { rows, next_cursor } = await namedPage(request.query, (after, limit) => listAppRecords(db, after, limit));
      return { apps: rows.map(viewOf), next_cursor };
    },
  );

  app.get('/api/v1/apps/:id', { schema: { ...APP_ROUTES.read, ...one }, onRequest: operating }, async (request) =>
    done((await findAppRecord(db, request.params.id)) ?? 'not_found'),
  );

  app.patch('/api/v1/apps/:id', { schema: { ...APP_ROUTES.change, ...one }, onRequest: operating }, async (request) => {
    const { app_secret, overlap } = request.body;
    if (overlap !== undefined && app_secret === undefined) {
      throw new AldisError('missing_field', 'overlap goes with a new app_secret.', { field: 'app_secret' });
    }
    return done(await manage.apps.change(request.params.id, request.body));
  });

  app.delete(
    '/api/v1/apps/:id',
    { schema: { ...APP_ROUTES.remove, ...one }, onRequest: operating },
    async (request) => {
      const { id } = done(await manage.apps.remove(request.params.id));
      return { id, deleted: true };
    },
  );
}

function viewOf(row: AppRecord) {
  return { ...row, webhook_path: `/webhooks/whatsapp/${row.id}` };
}

/** The app, or the error that stands for what was found instead. */
function done(result: AppRecord | 'not_found' | 'exists' | 'in_use') {
  switch (result) {
    case 'not_found':
      throw new AldisError('not_found', 'There is no app of that id.', { field: 'id' });
    case 'exists':
      throw new AldisError('already_exists', 'There is an app of that id already.', { field: 'id' });
    case 'in_use':
      throw new AldisError('in_use', 'The default app, and one that an account or a sender is of, cannot be deleted.', {
        field: 'id',
      });
    default:
      return viewOf(result);
  }
}

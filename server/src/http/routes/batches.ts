import type { BatchItem } from '../../actions/accepted.ts';
import type { MessageRequest } from '../../domain/compose.ts';
import { AldisError } from '../../domain/errors.ts';
import { type BatchId, isUuid, type TenantId } from '../../domain/ids.ts';
import { PRIORITIES } from '../../domain/message.ts';
import { countBatchByState, findBatch } from '../../store/batches.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { conflictError, idempotencyOf } from '../idempotency.ts';
import { composeMany } from '../references.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp, HttpRequest } from '../typebox-provider.ts';
import { type Flaw, validationError } from '../validation.ts';
import { ROUTES } from './batches.schema.ts';
import { MessageBody } from './messages.schema.ts';

/** Many messages at once. */
export function batchRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, settings } = deps;

  app.post(
    '/api/v1/messages/batch',
    { schema: ROUTES.accept, onRequest: guard(keys, 'messages:write'), bodyLimit: settings.batch_body_limit },
    async (request, reply) => {
      const { tenant_id } = principalOf(request);
      const idempotency = idempotencyOf(request);
      const items = await judge(deps, tenant_id, request, request.body.messages);
      const accepted = await deps.acceptBatch(tenant_id, items, idempotency);
      if (accepted.kind !== 'accepted') throw conflictError(accepted);
      if (accepted.replayed) reply.header('idempotency-replayed', 'true');
      return reply.code(202).send(accepted);
    },
  );

  app.get(
    '/api/v1/batches/:id',
    { schema: { ...ROUTES.read, params: IdParameter }, onRequest: guard(keys, 'messages:read') },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { id } = request.params;
      const batch = isUuid(id) ? await findBatch(db, tenant_id, id as BatchId) : null;
      if (batch === null) throw new AldisError('not_found', 'There is no batch of that id.', { field: 'id' });
      const { complete, total, accepted, errors, created_at } = batch;
      const by_state = await countBatchByState(db, tenant_id, batch.id);
      return { batch_id: batch.id, complete, total, accepted, refused: errors.length, by_state, created_at, errors };
    },
  );
}

/** Judges each item on its own: its shape, then what it says. */
async function judge(
  deps: HttpDeps,
  tenant: TenantId,
  request: HttpRequest,
  asked: readonly unknown[],
): Promise<BatchItem[]> {
  const isMessage = request.compileValidationSchema(MessageBody, 'body');
  const items = new Array<BatchItem>(asked.length);
  const requests: MessageRequest[] = [];
  const places: number[] = [];
  asked.forEach((item, place) => {
    if (isMessage(item)) {
      // The validator has just said so.
      requests.push(item as MessageRequest);
      places.push(place);
    } else items[place] = refused(validationError(isMessage.errors?.[0] as Flaw, 'message'));
  });
  const composed = await composeMany(deps, tenant, requests, PRIORITIES.low);
  composed.forEach((one, i) => {
    items[places[i] as number] = one.kind === 'message' ? one : refused(one.error);
  });
  return items;
}

function refused({ code, message, field }: AldisError): BatchItem {
  return { kind: 'refused', error: { error: code, code: code.toUpperCase(), message, field } };
}

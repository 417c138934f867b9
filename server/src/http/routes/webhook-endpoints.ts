import type { Queryable } from '../../db/pool.ts';
import { AldisError } from '../../domain/errors.ts';
import { type ConversationId, isReference, type SenderId, type TenantId } from '../../domain/ids.ts';
import { isEventPattern, urlFlaw } from '../../domain/webhook-endpoint.ts';
import { findConversationId } from '../../store/contacts.read.ts';
import { findSenderRecord } from '../../store/sender-records.read.ts';
import { findDelivery, listAttempts, listDeliveries } from '../../store/webhook-deliveries.read.ts';
import {
  type EndpointRecord,
  type EndpointValues,
  findEndpoint,
  listEndpoints,
} from '../../store/webhook-endpoints.read.ts';
import { listReplays } from '../../store/webhook-replays.read.ts';
import { readPageCursor, writePageCursor } from '../cursors.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import {
  DeliveriesQuery,
  DeliveryParameters,
  deliveryView,
  deliveryWithAttempts,
  ENDPOINT_ROUTES,
  EndpointPage,
  endpointView,
} from './webhook-endpoints.schema.ts';

const PATH = '/api/v1/webhooks';

/** Where the key's tenant has events posted, and what was posted there. */
export function webhookEndpointRoutes(app: HttpApp, { db, keys, webhooks, clock }: HttpDeps): void {
  const reading = guard(keys, 'webhooks:read');
  const writing = guard(keys, 'webhooks:write');

  /** What a request says of an endpoint, with ids of ours. */
  async function valuesOf(tenant: TenantId, said: Partial<Said>): Promise<Partial<EndpointValues>> {
    const { url, event_types, sender_ids, conversation_ids, ...rest } = said;
    if (url !== undefined) checkUrl(url, webhooks.objectionTo);
    for (const [index, pattern] of (event_types ?? []).entries()) {
      if (!isEventPattern(pattern))
        throw invalid(`event_types.${index}`, 'names no type of event; see docs/events.md.');
    }
    return {
      ...rest,
      ...(url !== undefined && { url }),
      ...(event_types !== undefined && { event_types: event_types && [...event_types] }),
      ...(sender_ids !== undefined && { sender_ids: sender_ids && (await sendersOf(db, tenant, sender_ids)) }),
      ...(conversation_ids !== undefined && {
        conversation_ids: conversation_ids && (await conversationsOf(db, tenant, conversation_ids)),
      }),
    };
  }

  async function endpointOf(tenant: TenantId, id: string): Promise<EndpointRecord> {
    return done(await findEndpoint(db, tenant, id));
  }

  app.post(PATH, { schema: ENDPOINT_ROUTES.create, onRequest: writing }, async (request, reply) => {
    const { tenant_id } = principalOf(request);
    const values = await valuesOf(tenant_id, request.body);
    const made = await webhooks.endpoints.create(tenant_id, { ...DEFAULTS, ...values, url: request.body.url });
    if (made === 'full') throw new AldisError('too_many_webhooks');
    return reply.code(201).send({ ...endpointView(made.endpoint), secret: made.secret });
  });

  app.get(
    PATH,
    { schema: ENDPOINT_ROUTES.list, onRequest: reading, preValidation: integersOf(EndpointPage) },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listEndpoints(db, tenant_id, before, limit),
      );
      return { webhooks: rows.map(endpointView), next_cursor };
    },
  );

  app.get(
    `${PATH}/:id`,
    { schema: { ...ENDPOINT_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => endpointView(await endpointOf(principalOf(request).tenant_id, request.params.id)),
  );

  app.patch(
    `${PATH}/:id`,
    { schema: { ...ENDPOINT_ROUTES.change, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { id } = await endpointOf(tenant_id, request.params.id);
      const change = await valuesOf(tenant_id, request.body);
      return endpointView(done(await webhooks.endpoints.change(tenant_id, id, change)));
    },
  );

  app.delete(
    `${PATH}/:id`,
    { schema: { ...ENDPOINT_ROUTES.remove, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { id } = done(await webhooks.endpoints.remove(principalOf(request).tenant_id, request.params.id));
      return { id, deleted: true };
    },
  );

  app.post(
    `${PATH}/:id/rotate-secret`,
    { schema: { ...ENDPOINT_ROUTES.rotate, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { endpoint, secret } = done(await webhooks.endpoints.rotate(tenant_id, request.params.id));
      return { ...endpointView(endpoint), secret };
    },
  );

  app.post(
    `${PATH}/:id/enable`,
    { schema: { ...ENDPOINT_ROUTES.enable, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { tenant_id } = principalOf(request);
      return endpointView(done(await webhooks.endpoints.change(tenant_id, request.params.id, { enabled: true })));
    },
  );

  app.post(
    `${PATH}/:id/test`,
    { schema: { ...ENDPOINT_ROUTES.test, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const made = await webhooks.deliveries.test(principalOf(request).tenant_id, request.params.id);
      if (made === 'disabled') throw new AldisError('webhook_disabled');
      return reply.code(202).send(deliveryView(done(made)));
    },
  );

  app.get(
    `${PATH}/:id/deliveries`,
    {
      schema: { ...ENDPOINT_ROUTES.deliveries, params: IdParameter },
      onRequest: reading,
      preValidation: integersOf(DeliveriesQuery),
    },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { id } = await endpointOf(tenant_id, request.params.id);
      const { cursor, limit, ...filter } = request.query;
      const before = cursor === undefined ? null : readPageCursor(cursor);
      const { rows, next } = await listDeliveries(db, tenant_id, id, filter, before, limit);
      return { deliveries: rows.map(deliveryView), next_cursor: next === null ? null : writePageCursor(next) };
    },
  );

  app.get(
    `${PATH}/:id/deliveries/:delivery`,
    { schema: { ...ENDPOINT_ROUTES.delivery, params: DeliveryParameters }, onRequest: reading },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { id } = await endpointOf(tenant_id, request.params.id);
      const found = await findDelivery(db, tenant_id, id, request.params.delivery);
      if (found === null) throw new AldisError('not_found', 'There is no delivery of that id.', { field: 'delivery' });
      return deliveryWithAttempts(found, await listAttempts(db, tenant_id, id, found.id));
    },
  );

  app.post(
    `${PATH}/:id/deliveries/:delivery/replay`,
    { schema: { ...ENDPOINT_ROUTES.replayOne, params: DeliveryParameters }, onRequest: writing },
    async (request, reply) => {
      const { id, delivery } = request.params;
      const made = await webhooks.deliveries.replay(principalOf(request).tenant_id, id, delivery);
      return reply.code(202).send(deliveryView(done(made)));
    },
  );

  app.post(
    `${PATH}/:id/replay`,
    { schema: { ...ENDPOINT_ROUTES.replay, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const { tenant_id } = principalOf(request);
      const { id } = await endpointOf(tenant_id, request.params.id);
      const { since, until, only_failed } = request.body;
      const now = clock.now();
      const ask = {
        since: Date.parse(since),
        until: Math.min(until === undefined ? now : Date.parse(until), now),
        only_failed,
      };
      if (ask.since >= ask.until) throw invalid('since', 'is not before until, or not before now.');
      const begun = done(await webhooks.replays.begin(tenant_id, id, ask));
      if (begun === 'busy') throw new AldisError('replay_runs', undefined, { retryAfter: 5 });
      return reply.code(202).send(begun);
    },
  );

  app.get(
    `${PATH}/:id/replays`,
    {
      schema: { ...ENDPOINT_ROUTES.replays, params: IdParameter },
      onRequest: reading,
      preValidation: integersOf(EndpointPage),
    },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const { id } = await endpointOf(tenant_id, request.params.id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listReplays(db, tenant_id, id, before, limit),
      );
      return { replays: rows, next_cursor };
    },
  );
}

/** What a request may say of an endpoint: ids as their owner writes them. */
interface Said {
  url: string;
  description: string | null;
  enabled: boolean;
  event_types: readonly string[] | null;
  sender_ids: readonly string[] | null;
  conversation_ids: readonly string[] | null;
  ordered: boolean;
}

const DEFAULTS: Omit<EndpointValues, 'url'> = {
  description: null,
  enabled: true,
  event_types: null,
  sender_ids: null,
  conversation_ids: null,
  ordered: false,
};

function checkUrl(url: string, objectionTo: (url: URL) => string | null): void {
  const flaw = urlFlaw(url) ?? objectionTo(new URL(url));
  if (flaw !== null) throw invalid('url', `${flaw}.`);
}

async function sendersOf(db: Queryable, tenant: TenantId, references: readonly string[]): Promise<SenderId[]> {
  const found: SenderId[] = [];
  for (const [index, one] of references.entries()) {
    const sender = await findSenderRecord(db, tenant, one);
    if (sender === null) throw invalid(`sender_ids.${index}`, 'names no sender.');
    found.push(sender.id);
  }
  return found;
}

async function conversationsOf(
  db: Queryable,
  tenant: TenantId,
  references: readonly string[],
): Promise<ConversationId[]> {
  const found: ConversationId[] = [];
  for (const [index, one] of references.entries()) {
    const conversation = isReference(one) ? await findConversationId(db, tenant, one) : null;
    if (conversation === null) throw invalid(`conversation_ids.${index}`, 'names no conversation.');
    found.push(conversation);
  }
  return found;
}

function invalid(field: string, what: string): AldisError {
  return new AldisError('invalid_field', `${field} ${what}`, { field });
}

/** What was found, or the error that stands for nothing. */
function done<T>(found: T | null | 'not_found'): T {
  if (found === null || found === 'not_found') {
    throw new AldisError('not_found', 'There is no webhook endpoint of that id, or no delivery.', { field: 'id' });
  }
  return found;
}

import { createExpiringCache } from '../../access/expiring-cache.ts';
import { AldisError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import { type Message, PRIORITIES, statusOf } from '../../domain/message.ts';
import { findConversation } from '../../store/contacts.read.ts';
import { findMessage } from '../../store/messages.read.ts';
import { acceptComposed } from '../accepting.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { idempotencyOf } from '../idempotency.ts';
import { failureReason } from '../message-view.ts';
import { createMessageWaits } from '../message-waits.ts';
import { composeOne } from '../references.ts';
import { canonicalRequest } from '../single-request.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp, HttpReply, HttpRequest } from '../typebox-provider.ts';
import { ROUTE } from './send.schema.ts';

/** Milliseconds that a tenant's name is believed, and how many names. */
const BELIEVED = 5000;
const REMEMBERED = 10_000;

/** The synchronous send: a request that waits for its message's state. */
export function sendRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, clock, keys, senders, settings } = deps;
  const waits = createMessageWaits(deps);
  const tenants = createExpiringCache<TenantId>({ ttl: BELIEVED, limit: REMEMBERED, clock });
  app.addHook('preClose', async () => waits.stop());

  /** Whom a key acts for; a name that was allowed a moment ago is not asked for again. */
  async function tenantOf(request: HttpRequest, named: string | undefined): Promise<TenantId> {
    if (named === undefined || request.headers['x-tenant-id'] !== undefined) {
      return tenantInQuestion(db, request, named);
    }
    const name = `${principalOf(request).key_id} ${named}`;
    const known = tenants.get(name);
    if (known !== undefined) return known;
    const tenant = await tenantInQuestion(db, request, named);
    tenants.set(name, tenant);
    return tenant;
  }

  app.post(
    '/api/v1/messages/send',
    { schema: ROUTE, onRequest: guard(keys, 'messages:write'), bodyLimit: settings.body_limit },
    async (request, reply) => {
      const { tenant_id: named, conversation_id: conversation, ...rest } = request.body;
      const tenant = await tenantOf(request, named);
      const idempotency = idempotencyOf(request);
      const asked = canonicalRequest(rest);
      if (asked.sender_id === undefined && conversation !== undefined) {
        const sender = (await findConversation(db, tenant, conversation))?.sender_id;
        if (sender) asked.sender_id = sender;
      }
      const composed = await composeOne(deps, tenant, asked, PRIORITIES.high, conversation);
      const { replayed, message, warnings = [] } = await acceptComposed(deps, tenant, composed, idempotency);
      if (replayed) reply.header('idempotency-replayed', 'true');
      const stopped = senders.known(tenant, asked.sender_id)?.processing === false;
      const later = message.scheduled_at !== null && message.scheduled_at.getTime() > clock.now();
      const settled =
        stopped || later ? null : await waits.untilSettled(tenant, message.id, settings.send_timeout, whenGone(reply));
      const now = settled ?? (await findMessage(db, tenant, message.id));
      if (now === null) throw new Error('a message that was accepted is not there');
      const conversation_id = conversation ?? message.conversation_id;
      if (statusOf(now.state) === 'failed') throw sendFailed(now, conversation_id);
      const open = statusOf(now.state) === 'queued';
      return reply.code(open ? 202 : 200).send({
        message_id: now.id,
        whatsapp_message_id: now.wamid,
        // Whatever became of it since: sent is what this request asked for.
        status: open ? ('queued' as const) : ('sent' as const),
        state: now.state,
        sent_at: now.sent_at,
        conversation_id,
        warnings: [...warnings],
      });
    },
  );
}

/** Tells when nobody is there any more to be answered. The request's own signal does not: its body has been read. */
function whenGone({ raw }: HttpReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  return gone.signal;
}

function sendFailed(message: Pick<Message, 'id' | 'state' | 'error'>, conversation_id: string): AldisError {
  return new AldisError('send_failed', undefined, {
    details: {
      message_id: message.id,
      status: statusOf(message.state),
      state: message.state,
      failure_reason: failureReason(message),
      conversation_id,
    },
  });
}

import type { Sender } from '../access/sender-directory.ts';
import { addresseeOf, type ComposeContext, compose, type MessageRequest } from '../domain/compose.ts';
import { AldisError } from '../domain/errors.ts';
import { isUuid, type TenantId } from '../domain/ids.ts';
import type { NewMessage, Priority } from '../domain/message.ts';
import { findContactValues } from '../store/contacts.read.ts';
import { findWamids } from '../store/messages.read.ts';
import type { HttpDeps } from './http-deps.ts';

/**
 * Composing with what a request only names and the store knows: its sender, the message it answers, and what the contact is
 * called when the request itself gives no value for a name in the text.
 */
export type ReferenceDeps = Pick<HttpDeps, 'db' | 'senders' | 'clock'>;

/** One request to a message, or why not. */
export type Composed = { kind: 'message'; message: NewMessage } | { kind: 'refused'; error: AldisError };

/**
 * Composes one request. For the usual one, whose sender is known here, nothing is waited for.
 * @param conversation what it is to be filed under: an own or external id.
 */
export function composeOne(
  deps: ReferenceDeps,
  tenant: TenantId,
  request: MessageRequest,
  priority: Priority,
  conversation?: string,
): Composed | Promise<Composed> {
  const sender = deps.senders.known(tenant, request.sender_id);
  if (sender && !isOwnReference(request.reply_to)) {
    const composed = attempt(request, { now: deps.clock.now(), sender, priority, conversation });
    if (!lacksValues(composed)) return composed;
  }
  return composeMany(deps, tenant, [request], priority, conversation).then(([composed]) => composed as Composed);
}

/** Composes many requests, each for itself; what they name is looked up for all together. */
export async function composeMany(
  deps: ReferenceDeps,
  tenant: TenantId,
  requests: readonly MessageRequest[],
  priority: Priority,
  conversation?: string,
): Promise<Composed[]> {
  const now = deps.clock.now();
  const senders = await deps.senders.resolve(
    tenant,
    requests.map(({ sender_id }) => sender_id),
  );
  const answered = requests.flatMap(({ reply_to }) => (isOwnReference(reply_to) ? [reply_to] : []));
  const wamids = answered.length > 0 ? await findWamids(deps.db, tenant, answered) : new Map<string, string>();
  const asked = requests.map((request) => {
    const { sender_id, reply_to } = request;
    const context: Context = { now, sender: senders.get(sender_id) ?? null, priority, conversation };
    if (isOwnReference(reply_to)) context.replyTo = wamids.get(reply_to) ?? null;
    return { request, context, composed: attempt(request, context) };
  });
  const lacking = asked.filter(({ composed }) => lacksValues(composed));
  if (lacking.length > 0) {
    const addresses = lacking.map(({ request }) => addresseeOf(request).address);
    const contacts = await findContactValues(deps.db, tenant, addresses);
    for (const one of lacking) {
      const contact = contacts.get(addresseeOf(one.request).address);
      if (contact) one.composed = attempt(one.request, { ...one.context, contact });
    }
  }
  return asked.map(({ composed }) => composed);
}

/** As composing takes it, with what was not found as null. */
type Context = Omit<ComposeContext, 'sender' | 'replyTo'> & { sender: Sender | null; replyTo?: string | null };

function attempt(request: MessageRequest, { sender, replyTo, ...context }: Context): Composed {
  try {
    if (sender === null) throw unknownSender(request.sender_id);
    if (!sender.enabled || sender.connected === false) {
      throw new AldisError('sender_not_connected', undefined, { field: 'sender_id' });
    }
    if (replyTo === null) {
      throw new AldisError('invalid_field', 'reply_to names no message that has reached WhatsApp.', {
        field: 'reply_to',
      });
    }
    const message = compose(request, { ...context, sender: sender.id, replyTo });
    if (sender.caps !== null) message.caps = sender.caps;
    return { kind: 'message', message };
  } catch (error) {
    if (error instanceof AldisError) return { kind: 'refused', error };
    throw error;
  }
}

function unknownSender(reference: string | undefined): AldisError {
  const text = reference === undefined ? 'The request names no sender_id, and there is no default sender.' : undefined;
  return new AldisError('unknown_sender', text, { field: 'sender_id' });
}

function lacksValues(composed: Composed): boolean {
  return composed.kind === 'refused' && composed.error.code === 'missing_variables';
}

/** Whether `reply_to` is an id of ours; else it is the provider's, which is passed on. */
function isOwnReference(reference: string | undefined): reference is string {
  return reference !== undefined && isUuid(reference);
}

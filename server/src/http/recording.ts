import type { AcceptedMessage } from '../actions/accepted.ts';
import { composeRecorded } from '../domain/compose.ts';
import { AldisError } from '../domain/errors.ts';
import type { TenantId } from '../domain/ids.ts';
import type { State } from '../domain/message.ts';
import { findMessage } from '../store/messages.read.ts';
import type { HttpDeps } from './http-deps.ts';
import { canonicalRequest, customerConversationOf } from './single-request.ts';
import { addressedRequest, type SaidRequest } from './whatsapp-words.ts';

/** What a message that is only recorded may say. */
const RECORDED: ReadonlySet<string> = new Set([
  'conversation_id',
  'whatsapp_message_id',
  'content',
  'type',
  'message_type',
  'sender_type',
  'metadata',
]);

/**
 * Records a message that another service has sent by WhatsApp, as sender-service does with what it sends. The same
 * `whatsapp_message_id` is the same message: a repeat gives the one that is there.
 * @throws {AldisError} `missing_field`, `invalid_field`, `not_found` for a conversation that is not known here.
 */
export async function recordOne(
  deps: Pick<HttpDeps, 'db' | 'clock' | 'recordMessage'>,
  tenant: TenantId,
  request: SaidRequest & { conversation_id?: string },
  wamid: string,
): Promise<{ fresh: boolean; message: AcceptedMessage & { state: State } }> {
  const { conversation_id: name } = request;
  if (name === undefined) {
    throw new AldisError('missing_field', 'conversation_id is required beside whatsapp_message_id.', {
      field: 'conversation_id',
    });
  }
  const field = Object.keys(request).find((key) => !RECORDED.has(key));
  if (field !== undefined) {
    throw new AldisError('invalid_field', `${field} is not for a message that is recorded and never sent.`, { field });
  }
  const said = composeRecorded(canonicalRequest(addressedRequest(request)), wamid);
  const conversation = await customerConversationOf(deps, tenant, name);
  const { id, fresh } = await deps.recordMessage(tenant, conversation, said);
  const message = await findMessage(deps.db, tenant, id);
  if (message === null) throw new Error('a message that was recorded is not there');
  return { fresh, message };
}

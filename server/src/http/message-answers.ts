import type { AcceptedMessage } from '../actions/accepted.ts';
import type { MessageId } from '../domain/ids.ts';
import { type State, statusOf } from '../domain/message.ts';

/** A message that was accepted, as it is answered. */
export function acceptedAnswer(message: AcceptedMessage, state: State, warnings: readonly string[]) {
  return {
    id: message.id,
    status: statusOf(state),
    state,
    sender_id: message.sender_id,
    contact_id: message.contact_id,
    conversation_id: message.conversation_id,
    to: message.address,
    type: message.type,
    created_at: message.created_at,
    scheduled_at: message.scheduled_at,
    warnings: [...warnings],
  };
}

/** What a change made of a message. */
export function stateAnswer(id: MessageId, state: State) {
  return { id, status: statusOf(state), state };
}

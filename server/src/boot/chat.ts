import type { ChatActions } from '../actions/chat.ts';
import { createConversationActions } from '../actions/chat-conversations.ts';
import { createChatWriting } from '../actions/chat-messages.ts';
import { createChatReading } from '../actions/chat-reading.ts';
import { createChatReceipts } from '../actions/chat-receipts.ts';
import type { Common } from './engine.ts';

/** `metrics` absent: nothing is counted. */
type ChatDeps = Pick<Common, 'db' | 'signals'> & { metrics?: Pick<Common['metrics'], 'chatMessages'> };

/** What people do in conversations, for all doors of the instance: what comes by any of them at once shares commits. */
export function buildChat(deps: ChatDeps): ChatActions {
  return {
    ...createConversationActions(deps),
    ...createChatWriting({ ...deps, said: (messages) => deps.metrics?.chatMessages.add(messages) }),
    ...createChatReceipts(deps),
    ...createChatReading(deps),
  };
}

import { timeOfId } from '../domain/ids.ts';
import { CONVERSATION_SERVICE, createForwarder } from '../fanout/conversation-service/forwarder.ts';
import { conversationService } from '../outside/conversation-service.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import { findOldestUnread } from '../store/sent-messages.read.ts';
import type { Common } from './engine.ts';

/** The lease of a tenant's events, in milliseconds: it is held on while they are stored. */
const LEASE = 5000;

/**
 * The part that stores sent messages in the conversation service, or none when no service is named.
 * @param alone this process is the only instance.
 */
export function buildConversationStore(config: Config, common: Common, alone: boolean): Part[] {
  const { url, timeout } = config.conversation_service;
  if (url === null) return [];
  const { db, clock, metrics } = common;
  metrics.onScrape('conversation-service', async () => {
    const oldest = await findOldestUnread(db, CONVERSATION_SERVICE);
    metrics.conversationLag.set(oldest === null ? 0 : Math.max(0, clock.now() - timeOfId(oldest)) / 1000);
  });
  return [
    createForwarder({
      ...common,
      service: conversationService(url, timeout),
      alone,
      pollInterval: config.engine.poll_interval,
      lease: LEASE,
    }),
  ];
}

import { ExplanationObject } from '../explanation-view.ts';
import { HistoryStep } from '../history-view.ts';
import type { HttpDeps } from '../http-deps.ts';
import { MessageObject, MessageStatus } from '../message-view.ts';
import { ErrorSchema } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { ACCOUNT_PARTS } from './accounts.schema.ts';
import { accountRoutes } from './accounts.ts';
import { API_KEY_PARTS } from './api-keys.schema.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { APP_PARTS } from './apps.schema.ts';
import { appRoutes } from './apps.ts';
import { BATCH_PARTS } from './batches.schema.ts';
import { batchRoutes } from './batches.ts';
import { BLOCKED_USER_PARTS } from './blocked-users.schema.ts';
import { blockedUserRoutes } from './blocked-users.ts';
import { CHAT_MESSAGE_PARTS } from './chat-messages.schema.ts';
import { chatMessageRoutes } from './chat-messages.ts';
import { CONSENT_PARTS } from './consents.schema.ts';
import { consentRoutes } from './consents.ts';
import { CONTACT_PARTS } from './contacts.schema.ts';
import { contactRoutes } from './contacts.ts';
import { CONVERSATION_MESSAGE_PARTS } from './conversation-messages.schema.ts';
import { conversationMessageRoutes } from './conversation-messages.ts';
import { CONVERSATION_PARTS } from './conversations.schema.ts';
import { conversationRoutes } from './conversations.ts';
import { DEAD_LETTER_PARTS } from './dead-letters.schema.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { docsRoutes } from './docs.ts';
import { EVENT_PARTS } from './events.schema.ts';
import { eventRoutes } from './events.ts';
import { explainRoutes } from './explain.ts';
import { EXPORT_PARTS } from './exports.schema.ts';
import { exportRoutes } from './exports.ts';
import { healthRoutes } from './health.ts';
import { MEDIA_PARTS } from './media.schema.ts';
import { mediaRoutes } from './media.ts';
import { mediaLinkRoutes } from './media-links.ts';
import { MESSAGE_PARTS } from './messages.schema.ts';
import { messageRoutes } from './messages.ts';
import { messageListRoutes } from './messages-list.ts';
import { metricsRoutes } from './metrics.ts';
import { PAUSE_PARTS } from './pauses.schema.ts';
import { pauseRoutes } from './pauses.ts';
import { PRESENCE_PARTS } from './presence.schema.ts';
import { presenceRoutes } from './presence.ts';
import { processorRoutes } from './processor.ts';
import { REDRIVE_PARTS } from './redrives.schema.ts';
import { redriveRoutes } from './redrives.ts';
import { SECRET_PARTS, secretRoutes } from './secrets.ts';
import { SEND_PARTS } from './send.schema.ts';
import { sendRoutes } from './send.ts';
import { SENDER_PARTS } from './senders.schema.ts';
import { senderRoutes } from './senders.ts';
import { STATISTICS_PARTS } from './statistics.schema.ts';
import { statisticsRoutes } from './statistics.ts';
import { TEMPLATE_PARTS } from './templates.schema.ts';
import { templateRoutes } from './templates.ts';
import { TENANT_PARTS } from './tenants.schema.ts';
import { tenantRoutes } from './tenants.ts';
import { TICKET_PARTS } from './tickets.schema.ts';
import { ticketRoutes } from './tickets.ts';
import { ENDPOINT_PARTS } from './webhook-endpoints.schema.ts';
import { webhookEndpointRoutes } from './webhook-endpoints.ts';
import { whatsappWebhookRoutes } from './whatsapp-webhooks.ts';

/** Everything that can be asked for, on an application that is set up: to serve it, or to describe it. */
export function registerRoutes(app: HttpApp, deps: HttpDeps): void {
  const parts = [
    ErrorSchema,
    MessageObject,
    MessageStatus,
    HistoryStep,
    ExplanationObject,
    ...MESSAGE_PARTS,
    ...CONVERSATION_PARTS,
    ...CONVERSATION_MESSAGE_PARTS,
    ...CHAT_MESSAGE_PARTS,
    ...SEND_PARTS,
    ...STATISTICS_PARTS,
    ...BATCH_PARTS,
    ...EVENT_PARTS,
    ...TENANT_PARTS,
    ...SENDER_PARTS,
    ...TEMPLATE_PARTS,
    ...API_KEY_PARTS,
    ...TICKET_PARTS,
    ...PRESENCE_PARTS,
    ...ACCOUNT_PARTS,
    ...APP_PARTS,
    ...SECRET_PARTS,
    ...MEDIA_PARTS,
    ...CONTACT_PARTS,
    ...EXPORT_PARTS,
    ...DEAD_LETTER_PARTS,
    ...REDRIVE_PARTS,
    ...CONSENT_PARTS,
    ...BLOCKED_USER_PARTS,
    ...PAUSE_PARTS,
    ...ENDPOINT_PARTS,
  ];
  for (const part of parts) app.addSchema(part);
  messageRoutes(app, deps);
  explainRoutes(app, deps);
  conversationRoutes(app, deps);
  conversationMessageRoutes(app, deps);
  chatMessageRoutes(app, deps);
  messageListRoutes(app, deps);
  sendRoutes(app, deps);
  statisticsRoutes(app, deps);
  batchRoutes(app, deps);
  eventRoutes(app, deps);
  tenantRoutes(app, deps);
  senderRoutes(app, deps);
  templateRoutes(app, deps);
  apiKeyRoutes(app, deps);
  ticketRoutes(app, deps);
  presenceRoutes(app, deps);
  accountRoutes(app, deps);
  appRoutes(app, deps);
  secretRoutes(app, deps);
  contactRoutes(app, deps);
  exportRoutes(app, deps);
  deadLetterRoutes(app, deps);
  redriveRoutes(app, deps);
  consentRoutes(app, deps);
  blockedUserRoutes(app, deps);
  pauseRoutes(app, deps);
  webhookEndpointRoutes(app, deps);
  healthRoutes(app, deps);
  docsRoutes(app);
  metricsRoutes(app, deps);
  mediaLinkRoutes(app, deps);
  // A context of its own, for its bodies may be forms.
  app.register(async (media: HttpApp) => mediaRoutes(media, deps));
  // A context of its own, for its errors are worded otherwise.
  app.register(async (processor: HttpApp) => processorRoutes(processor, deps));
  // A context of its own, for its bodies are bytes.
  app.register(async (webhooks: HttpApp) => whatsappWebhookRoutes(webhooks, deps));
}

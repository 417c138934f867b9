import { HistoryStep } from '../history-view.ts';
import type { HttpDeps } from '../http-deps.ts';
import { MessageObject, MessageStatus } from '../message-view.ts';
import { ErrorSchema } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { BATCH_PARTS } from './batches.schema.ts';
import { batchRoutes } from './batches.ts';
import { EVENT_PARTS } from './events.schema.ts';
import { eventRoutes } from './events.ts';
import { healthRoutes } from './health.ts';
import { MESSAGE_PARTS } from './messages.schema.ts';
import { messageRoutes } from './messages.ts';
import { metricsRoutes } from './metrics.ts';
import { whatsappWebhookRoutes } from './whatsapp-webhooks.ts';

/** Everything that can be asked for, on an application that is set up: to serve it, or to describe it. */
export function registerRoutes(app: HttpApp, deps: HttpDeps): void {
  const parts = [
    ErrorSchema,
    MessageObject,
    MessageStatus,
    HistoryStep,
    ...MESSAGE_PARTS,
    ...BATCH_PARTS,
    ...EVENT_PARTS,
  ];
  for (const part of parts) app.addSchema(part);
  messageRoutes(app, deps);
  batchRoutes(app, deps);
  eventRoutes(app, deps);
  healthRoutes(app, deps);
  metricsRoutes(app, deps);
  // A context of its own, for its bodies are bytes.
  app.register(async (webhooks: HttpApp) => whatsappWebhookRoutes(webhooks, deps));
}

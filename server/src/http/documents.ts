import swagger from '@fastify/swagger';
import fastify from 'fastify';
import { ERRORS } from '../domain/errors.ts';
import { VALIDATION } from './build-http.ts';
import type { HttpDeps } from './http-deps.ts';
import { registerRoutes } from './routes/all-routes.ts';
import { BatchBody, BatchEnvelope } from './routes/batches.schema.ts';
import { MEDIA_BODIES, MediaBody } from './routes/media.schema.ts';
import { NO_BODY } from './schemas.ts';
import type { HttpApp, TypeBoxProvider } from './typebox-provider.ts';

/**
 * The documents that are made of the code: docs/openapi.json of the schemas that validate, docs/errors.md of the table of
 * errors. Both are committed, and tests hold them equal.
 */
export async function openapiDocument(): Promise<string> {
  const app: HttpApp = fastify(VALIDATION).withTypeProvider<TypeBoxProvider>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Aldis',
        version: 'v1',
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or the JSON Web Token of a user.' },
          key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    },
    // The parts keep their own names.
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === 'string' ? json.$id : `def-${i}`),
    },
    transform: ({ schema = {}, url }) => {
      const { body, ...rest } = schema;
      const secured = /^\/(?:api|processor)\//.test(url) || url === '/metrics';
      return {
        schema: {
          ...rest,
          ...documentedBody(body),
          ...(secured ? { security: [{ bearer: [] }, { key: [] }] } : {}),
        },
        url,
      };
    },
  });
  app.decorateRequest('principal', null);
  app.decorateRequest('bodyHash', null);
  registerRoutes(app, DESCRIBED);
  await app.ready();
  const document = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  return document;
}

const DESCRIPTION = `WhatsApp messages: accepted durably, sent within every limit, followed to the end.

Every route under /api/v1 also speaks as queue-service does: names in camelCase (sender_id is whatsappAccountId, scheduled_at
scheduledFor), answers as {success, message, data}, errors with "success": false, the words of status, direction and type
capitalised. A request that is spelled so is answered so; a key may have the dialect for its own; the header X-API-Case, camel
or snake, decides over both.`;

/** A batch's items are validated one by one, each as a message: that is how they are documented. */
function documentedBody(body: unknown): { body?: unknown } {
  if (body === undefined || body === NO_BODY) return {};
  if (body === MediaBody) return { body: MEDIA_BODIES };
  return { body: body === BatchEnvelope ? BatchBody : body };
}

/** The table of errors as a page. */
export function errorsDocument(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, retry, text }]) => {
    const again = retry === 'later' ? 'later' : 'no';
    return `| \`${code}\` | ${status ?? 'in messages'} | ${again} | ${text} |`;
  });
  return `# Errors

Every error is answered in one shape. \`error\` is a code of this table, \`code\` the same in capitals; \`details\` may name the
\`field\`; \`request_id\` finds the request in the log.

\`\`\`json
{"error": "invalid_phone", "code": "INVALID_PHONE", "message": "…", "details": {"field": "to"}, "request_id": "…"}
\`\`\`

*Again* says whether the same request, unchanged, may succeed later; wait as long as \`Retry-After\` says when it is there. With an
\`Idempotency-Key\` it is safe to repeat any request about messages: what was done is not done twice. Codes with the status *in messages*
stand in the \`error\` of a message that failed. The items of a batch are refused with the same codes.

| Code | Status | Again | What happened |
|---|---|---|---|
${rows.join('\n')}

This page is made of \`server/src/domain/errors.ts\`.
`;
}

function described(): never {
  throw new Error('this application is described, not run');
}

/** Stands in for everything the routes need when they are only described. */
export const DESCRIBED: HttpDeps = {
  db: { query: described, script: described },
  signals: { notify: described, listen: described, say: described, hear: described },
  clock: { now: described, monotonic: described },
  logger: { error: described, warn: described },
  metrics: {
    render: described,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    httpRequests: { add: described },
    httpDuration: { observe: described },
    webhooks: { add: described },
    signatureFailures: { add: described },
  },
  settings: {
    body_limit: 1,
    batch_body_limit: 1,
    webhook_body_limit: 1,
    request_timeout: 1,
    keep_alive_timeout: 1,
    metrics_public: false,
    transport: { tls: null, header_limit: 0, write_timeout: 0, cors_origins: [], trusted_proxies: [] },
    send_timeout: 1,
  },
  keys: { identify: described },
  tickets: { issue: described },
  webhooks: {
    endpoints: { create: described, change: described, remove: described, rotate: described },
    deliveries: { test: described, replay: described },
    replays: { begin: described },
    objectionTo: described,
  },
  senders: { known: described, resolve: described, find: described, forget: described },
  templates: { known: described, resolve: described, forget: described },
  media: {
    files: { draft: described, open: described, remove: described },
    actions: { keep: described, remove: described },
    links: { write: described, read: described },
    uploadTimeout: 1,
    linkLifetime: 1,
    publicUrl: null,
    fetchUrl: described,
  },
  manage: {
    tenants: { create: described, change: described, remove: described },
    senders: { create: described, change: described, remove: described },
    templates: { create: described, edit: described, remove: described, unpause: described, sync: described },
    keys: { create: described, change: described, revoke: described },
    apps: { create: described, change: described, remove: described },
    accounts: { create: described, change: described, remove: described, sync: described },
    pauses: { end: described },
    reseal: described,
  },
  exports: { actions: { create: described, cancel: described, remove: described }, files: { get: described } },
  redrives: { create: described, cancel: described },
  contacts: {
    findOrMake: described,
    change: described,
    consent: described,
    consentList: described,
    setBlocked: described,
  },
  chat: {
    create: described,
    change: described,
    addParticipants: described,
    changeParticipant: described,
    removeParticipant: described,
    conversation: described,
    listConversations: described,
    participants: described,
    history: described,
    thread: described,
    message: described,
    listEdits: described,
    mayWrite: described,
    say: described,
    edit: described,
    remove: described,
    react: described,
    markDelivered: described,
    markRead: described,
  },
  troubleOf: described,
  health: described,
  ready: described,
  acceptMessage: described,
  acceptBatch: described,
  cancelMessage: described,
  rescheduleMessage: described,
  explaining: { pace: { per_minute: null, batch_size: null, processing_interval_ms: null }, validity: 1 },
  retryMessage: described,
  markRead: described,
  showTyping: described,
  recordMessage: described,
  storeWebhook: described,
  whatsapp: { verify: described, challenge: described },
};

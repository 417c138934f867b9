import type { preValidationHookHandler } from 'fastify';
import { AldisError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/ids.ts';
import { checkComponents } from '../../domain/template-check.ts';
import type { TemplateDefinition } from '../../domain/template-definition.ts';
import { componentsOfValues, previewTemplate, type TemplatePreview } from '../../domain/template-preview.ts';
import type { TemplateIntent } from '../../domain/template-provider.ts';
import { checkDefinition } from '../../domain/template-rules.ts';
import { shapeOf } from '../../domain/template-shape.ts';
import { findAccount } from '../../store/accounts.read.ts';
import { findTemplate, listTemplates, type TemplateRecord } from '../../store/templates.read.ts';
import { guard } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { createResultWaits } from '../result-waits.ts';
import { IdParameter } from '../schemas.ts';
import { tenantInQuestion } from '../tenant-scope.ts';
import type { HttpApp, HttpReply } from '../typebox-provider.ts';
import { TEMPLATE_ROUTES, TemplatePage } from './templates.schema.ts';

/** Milliseconds that a request waits for WhatsApp's answer. */
const PATIENCE = 5000;

/** Templates: made, edited and deleted here, and told to WhatsApp by a job. */
export function templateRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, manage, senders, signals } = deps;
  const reading = guard(keys, 'templates:read');
  const writing = guard(keys, 'templates:write');
  const waits = createResultWaits({ signals });
  app.addHook('preClose', async () => waits.stop());

  const creating = { schema: TEMPLATE_ROUTES.create, onRequest: writing, preValidation: smallCategories };
  app.post('/api/v1/templates', creating, async (request, reply) => {
    const { tenant_id, account_id, sender_id, ...template } = request.body;
    const tenant = await tenantInQuestion(db, request, tenant_id);
    const account = await accountOf(tenant, account_id, sender_id);
    if ((await findAccount(db, tenant, account)) === null) {
      const text = `The account ${account} is not known here, so that WhatsApp cannot be told: add it first.`;
      throw new AldisError('invalid_field', text, { field: account_id === undefined ? 'sender_id' : 'account_id' });
    }
    const made = await manage.templates.create(tenant, account, template);
    const told = await untilTold(tenant, made, 'create', reply);
    if (told === 'gone') throw new AldisError('not_found', 'The template was deleted meanwhile.');
    return reply.code(told.intent === null ? 201 : 202).send(viewOf(told));
  });

  app.get(
    '/api/v1/templates',
    { schema: TEMPLATE_ROUTES.list, onRequest: reading, preValidation: [integersOf(TemplatePage), smallCategories] },
    async (request) => {
      const { tenant_id, account_id, sender_id, name, language, status, category, ...page } = request.query;
      const tenant = await tenantInQuestion(db, request, tenant_id);
      const account =
        account_id === undefined && sender_id === undefined
          ? undefined
          : await accountOf(tenant, account_id, sender_id);
      const filter = { account_id: account, name, language, status: status?.toUpperCase(), category };
      const { rows, next_cursor } = await recordPage(page, (before, limit) =>
        listTemplates(db, tenant, filter, before, limit),
      );
      return { templates: rows.map(viewOf), next_cursor };
    },
  );

  app.get(
    '/api/v1/templates/:id',
    { schema: { ...TEMPLATE_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return viewOf(await templateOf(tenant, request.params.id));
    },
  );

  app.patch(
    '/api/v1/templates/:id',
    { schema: { ...TEMPLATE_ROUTES.change, params: IdParameter }, onRequest: writing, preValidation: smallCategories },
    async (request, reply) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const edited = await manage.templates.edit(tenant, request.params.id, request.body);
      const told = await untilTold(tenant, edited, edited.intent ?? 'edit', reply);
      if (told === 'gone') throw new AldisError('not_found', 'The template was deleted meanwhile.');
      return reply.code(told.intent === null ? 200 : 202).send(viewOf(told));
    },
  );

  app.delete(
    '/api/v1/templates/:id',
    { schema: { ...TEMPLATE_ROUTES.remove, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const { id } = await templateOf(tenant, request.params.id);
      const going = await manage.templates.remove(tenant, id);
      const deleted = going === null || (await untilTold(tenant, going, 'delete', reply)) === 'gone';
      return reply.code(deleted ? 200 : 202).send({ id, deleted });
    },
  );

  app.post(
    '/api/v1/templates/:id/unpause',
    { schema: { ...TEMPLATE_ROUTES.unpause, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      const asked = await manage.templates.unpause(tenant, request.params.id);
      const told = await untilTold(tenant, asked, 'unpause', reply);
      if (told === 'gone') throw new AldisError('not_found', 'The template was deleted meanwhile.');
      return reply.code(told.intent === null ? 200 : 202).send(viewOf(told));
    },
  );

  app.post('/api/v1/templates/sync', { schema: TEMPLATE_ROUTES.sync, onRequest: writing }, async (request, reply) => {
    const { tenant_id, account_id, sender_id } = request.body;
    const tenant = await tenantInQuestion(db, request, tenant_id);
    const account = await accountOf(tenant, account_id, sender_id);
    await manage.templates.sync(tenant, account);
    return reply.code(202).send({ account_id: account, status: 'syncing' as const });
  });

  app.post(
    '/api/v1/templates/:id/preview',
    { schema: { ...TEMPLATE_ROUTES.preview, params: IdParameter }, onRequest: reading },
    async (request) => {
      const tenant = await tenantInQuestion(db, request, request.query.tenant_id);
      return preview(await templateOf(tenant, request.params.id), request.body);
    },
  );

  app.post(
    '/api/v1/templates/preview',
    { schema: TEMPLATE_ROUTES.previewInline, onRequest: reading, preValidation: smallCategories },
    async ({ body: { definition, ...given } }) => {
      const { category, parameter_format = 'POSITIONAL', components } = definition;
      const checked = checkDefinition(components, { category, parameter_format }, 'definition.components');
      return preview({ category, parameter_format, components: checked }, given);
    },
  );

  /** The account that a request means. @throws {AldisError} `invalid_field`, `unknown_sender` */
  async function accountOf(tenant: TenantId, account: string | undefined, sender: string | undefined): Promise<string> {
    if (account !== undefined && sender !== undefined) {
      throw new AldisError('invalid_field', 'Give account_id or sender_id, not both.', { field: 'account_id' });
    }
    if (account !== undefined) return account;
    const found = (await senders.find(tenant, [sender])).get(sender);
    if (!found) throw new AldisError('unknown_sender', undefined, { field: 'sender_id' });
    if (found.account_id !== null) return found.account_id;
    throw new AldisError('invalid_field', 'The sender belongs to no WhatsApp Business Account.', {
      field: 'sender_id',
    });
  }

  async function templateOf(tenant: TenantId, id: string): Promise<TemplateRecord> {
    const template = await findTemplate(db, tenant, id);
    if (template === null) throw new AldisError('not_found', 'There is no template of that id.', { field: 'id' });
    return template;
  }

  /**
   * Waits until WhatsApp has been told, but not for long: the template as it is then, or `gone`.
   * @throws {AldisError} `template_refused`: WhatsApp did not take what it was told.
   */
  async function untilTold(
    tenant: TenantId,
    template: TemplateRecord,
    intent: TemplateIntent,
    reply: HttpReply,
  ): Promise<TemplateRecord | 'gone'> {
    const told = await waits.until(
      `template:${template.id}`,
      PATIENCE,
      whenGone(reply),
      () => findTemplate(db, tenant, template.id),
      (now) => now?.intent !== intent,
    );
    if (told === null) return 'gone';
    // Nothing was told yet: what stands there is what was said before.
    if (told.intent === intent) return template;
    if (told.refusal !== null) throw refused(told);
    return told;
  }
}

function refused({ id, status, refusal }: TemplateRecord): AldisError {
  const { title, detail } = refusal ?? { title: '', detail: null };
  const said = detail === null ? title : `${title}: ${detail}`;
  return new AldisError('template_refused', `WhatsApp did not take the template: ${said}`, {
    details: { id, status, refusal },
  });
}

/** What is asked of a preview: the components of a send, or values by name. */
interface PreviewAsk {
  components?: readonly Record<string, unknown>[];
  variables?: Record<string, string | number>;
}

function preview(
  template: Pick<TemplateDefinition, 'category' | 'parameter_format' | 'components'>,
  { components, variables }: PreviewAsk,
): TemplatePreview {
  if (components !== undefined && variables !== undefined) {
    throw new AldisError('invalid_field', 'Give components or variables, not both.', { field: 'variables' });
  }
  if (components === undefined) {
    return previewTemplate(template, componentsOfValues(template.components, variables ?? {}));
  }
  const { category, parameter_format } = template;
  checkComponents(components, { shape: shapeOf(category, template.components), parameter_format }, 'components');
  return previewTemplate(template, components);
}

function viewOf({ provider_id, intent, components, ...template }: TemplateRecord) {
  return {
    ...template,
    whatsapp_template_id: provider_id,
    components: [...components],
    pending: intent,
  };
}

/** Aborted when the client has closed its connection before the answer. */
function whenGone(reply: HttpReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}

/** Definitions that are taken from WhatsApp's pages have their category in capitals. */
const smallCategories: preValidationHookHandler = ({ query, body }, _reply, done) => {
  for (const part of [query, body, isRecord(body) ? body.definition : null]) {
    if (isRecord(part) && typeof part.category === 'string') part.category = part.category.toLowerCase();
  }
  done();
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

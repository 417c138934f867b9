import { PARAMETER_FORMATS } from '../../domain/template-definition.ts';
import type {
  ProviderTemplate,
  TemplateAccount,
  TemplateOutcome,
  TemplatePage,
  TemplateProvider,
  TemplateSubmission,
} from '../../domain/template-provider.ts';
import { askJson } from '../../net/json-client.ts';
import { isRecord } from './answer.ts';
import { type GraphAnswer, readGraph, textOf } from './graph-answer.ts';

export interface TemplateApiOptions {
  /** `https://graph.facebook.com` */
  origin: string;
  /** Of the Graph API: `v26.0`. */
  version: string;
  /** Milliseconds for one call. */
  timeout: number;
}

const FIELDS = 'id,name,language,status,category,quality_score,parameter_format,components,rejected_reason';
const PAGE = 100;

/** "There is no template of that name": whoever deletes it has what he wants. */
const GONE: readonly unknown[] = [2_593_002, 2_388_094];

/** Templates by the Graph API: /{account}/message_templates and /{template} (Meta: templates/template-management). */
export function templateApi({ origin, version, timeout }: TemplateApiOptions): TemplateProvider {
  async function ask(
    account: TemplateAccount,
    path: string,
    query: Record<string, string>,
    method: Method,
    body?: object,
  ) {
    const url = new URL(`/${version}/${path}`, origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const headers = { authorization: `Bearer ${account.access_token}` };
    try {
      return readGraph(await askJson(url, timeout, body, headers, undefined, method));
    } catch (error) {
      return {
        kind: 'later' as const,
        detail: error instanceof Error ? error.message : String(error),
        retryAfter: null,
      };
    }
  }

  async function list(account: TemplateAccount, query: Record<string, string>): Promise<TemplatePage> {
    const answer = await ask(
      account,
      `${account.id}/message_templates`,
      { fields: FIELDS, limit: String(PAGE), ...query },
      'GET',
    );
    if (answer.kind === 'later') return { kind: 'failed', detail: answer.detail, retryAfter: answer.retryAfter };
    if (answer.kind === 'refused') {
      const { code, title, detail } = answer.refusal;
      return { kind: 'failed', detail: `${detail ?? title} (error ${code})`, retryAfter: null };
    }
    const { data, paging } = answer.body;
    if (!Array.isArray(data)) return { kind: 'failed', detail: 'WhatsApp named no templates', retryAfter: null };
    const cursors = isRecord(paging) && isRecord(paging['cursors']) ? paging['cursors'] : {};
    const after = textOf(cursors['after'], 2000);
    // Some pages come without `next` though there is more, and the last one may come with a cursor: a full page is asked behind.
    const more =
      after !== null && data.length > 0 && (data.length >= PAGE || (isRecord(paging) && paging['next'] !== undefined));
    return { kind: 'page', templates: data.flatMap(readTemplate), after: more ? after : null };
  }

  return {
    list: (account, after) => list(account, after === null ? {} : { after }),

    async find(account, name, language) {
      const page = await list(account, { name });
      if (page.kind === 'failed') return 'unknown';
      return page.templates.find((template) => template.name === name && template.language === language) ?? null;
    },

    async create(account, submission) {
      return outcomeOf(await ask(account, `${account.id}/message_templates`, {}, 'POST', written(submission)));
    },

    async edit(account, providerId, { name: _, language: __, parameter_format: ___, ...change }) {
      return outcomeOf(await ask(account, providerId, {}, 'POST', written(change)));
    },

    async remove(account, providerId, name) {
      const query = { name, hsm_id: providerId };
      const outcome = outcomeOf(await ask(account, `${account.id}/message_templates`, query, 'DELETE'));
      const gone = outcome.kind === 'refused' && GONE.includes(outcome.refusal.subcode);
      return gone ? { kind: 'taken', provider_id: null, status: null, category: null } : outcome;
    },

    async unpause(account, providerId) {
      const answer = await ask(account, `${providerId}/unpause`, {}, 'POST', {});
      if (answer.kind !== 'answer' || answer.body['success'] !== false) return outcomeOf(answer);
      // Here a refusal is no error of the API.
      const detail = textOf(answer.body['reason'], 1000);
      return {
        kind: 'refused',
        refusal: { code: 0, subcode: null, title: 'WhatsApp does not unpause the template.', detail },
      };
    },
  };
}

type Method = 'GET' | 'POST' | 'DELETE';

/** What is submitted, in the provider's spelling. */
function written({ category, ...rest }: Partial<TemplateSubmission>): object {
  return { ...rest, ...(category !== undefined && { category: category.toUpperCase() }) };
}

function outcomeOf(answer: GraphAnswer): TemplateOutcome {
  if (answer.kind !== 'answer') return answer;
  const { id, status, category, success } = answer.body;
  if (typeof id !== 'string' && success !== true) {
    return { kind: 'later', detail: 'WhatsApp did not say that it took the template', retryAfter: null };
  }
  return {
    kind: 'taken',
    provider_id: typeof id === 'string' && ID.test(id) ? id : null,
    status: textOf(status, 50),
    category: textOf(category, 50),
  };
}

const ID = /^\d{1,32}$/;

/** A template of a list; one that cannot be read is left out, and so is what was deleted. */
function readTemplate(item: unknown): ProviderTemplate[] {
  if (!isRecord(item)) return [];
  const { id, components, parameter_format, quality_score, rejected_reason } = item;
  const name = textOf(item['name'], 512);
  const language = textOf(item['language'], 20);
  const status = textOf(item['status'], 50);
  const category = textOf(item['category'], 50);
  if (
    typeof id !== 'string' ||
    !ID.test(id) ||
    name === null ||
    language === null ||
    status === null ||
    category === null
  ) {
    return [];
  }
  const score = isRecord(quality_score) ? textOf(quality_score['score'], 20) : null;
  const reason = textOf(rejected_reason, 1000);
  return [
    {
      provider_id: id,
      name,
      language,
      status,
      category,
      quality: score,
      parameter_format: PARAMETER_FORMATS.find((format) => format === parameter_format) ?? 'POSITIONAL',
      components: Array.isArray(components) ? components.filter(isRecord) : [],
      reason: reason === 'NONE' ? null : reason,
    },
  ];
}

import { node, type Picked, pickFields } from '../graph/fields.ts';
import { listPage } from '../graph/paging.ts';
import type { Reply } from '../reply.ts';
import type { Template } from './template.ts';

/** What Graph shows of a template when it is not asked for fields (.../templates/template-management, 2026-05-21). */
const DEFAULTS = ['name', 'parameter_format', 'components', 'language', 'status', 'category'];

function picked(template: Template, query: URLSearchParams): Picked {
  const { quality, quality_at: at } = template;
  const all = {
    id: template.id,
    name: template.name,
    parameter_format: template.parameter_format,
    components: template.components,
    language: template.language,
    status: template.status,
    category: template.category,
    previous_category: template.previous_category,
    correct_category: template.category,
    sub_category: 'CUSTOM',
    quality_score: { score: quality, date: Math.floor(at / 1000) },
    rejected_reason: template.rejected_reason,
    message_send_ttl_seconds: template.message_send_ttl_seconds,
    cta_url_link_tracking_opted_out: false,
  };
  return pickFields(all, query, DEFAULTS, 'WhatsAppMessageTemplate');
}

/** One template: the fields asked for by `?fields=`, else the usual ones. */
export function describeTemplate(template: Template, query: URLSearchParams): Reply {
  return node(picked(template, query));
}

/** Filters `name`, `status`, `language`, `category`, `quality_score`; pages of `limit` by the cursor `after`. */
export function listTemplates(templates: readonly Template[], query: URLSearchParams, url: string): Reply {
  const name = query.get('name');
  const same = (key: string, value: string): boolean => {
    const wanted = query.get(key);
    return wanted === null || wanted.toUpperCase().split(',').includes(value.toUpperCase());
  };
  const matches = templates.filter(
    (template) =>
      (name === null || template.name.includes(name)) &&
      same('status', template.status) &&
      same('language', template.language) &&
      same('category', template.category) &&
      same('quality_score', template.quality),
  );
  return listPage(matches, query, url, (template) => picked(template, query));
}

import { BadInput, fieldsOf, optionalList, optionalText, optionalWord, requiredText } from '../input.ts';
import { isObject } from '../json.ts';
import { DEFAULT_NUMBER } from '../numbers.ts';
import type { Simulation } from '../simulation.ts';
import { STATUSES, TEMPLATE_CATEGORIES, TEMPLATE_QUALITIES, type Template } from './template.ts';

const EVENTS = [
  'APPROVED',
  'REJECTED',
  'PENDING',
  'PAUSED',
  'DISABLED',
  'IN_APPEAL',
  'FLAGGED',
  'REINSTATED',
  'LOCKED',
  'UNLOCKED',
  'ARCHIVED',
  'UNARCHIVED',
  'LIMIT_EXCEEDED',
  'PENDING_DELETION',
] as const;
const FIELDS = ['waba_id', 'id', 'name', 'language', 'event', 'reason', 'quality', 'category', 'components'];

/**
 * POST /_simulator/templates: decides about a template as Meta would, and tells it by webhook:
 * `{"waba_id"?, "name", "language"? | "id", "event"?, "reason"?, "quality"?, "category"?, "components"?}`. Throws BadInput.
 */
export function decideTemplate(simulation: Simulation, body: unknown): Template {
  const fields = fieldsOf(body, FIELDS);
  const wabaId = optionalText(fields, 'waba_id') ?? DEFAULT_NUMBER.waba_id;
  if (simulation.numbers.ofAccount(wabaId).length === 0) throw new BadInput('waba_id', `there is no account ${wabaId}`);
  const { templates, clock } = simulation;
  const id = optionalText(fields, 'id');
  const found =
    id === undefined
      ? templates.find(wabaId, requiredText(fields, 'name'), optionalText(fields, 'language') ?? 'en_US')
      : templates.byId(id)?.template;
  if (!found) throw new BadInput(id === undefined ? 'name' : 'id', 'there is no such template');
  const event = optionalWord(fields, 'event', EVENTS);
  const reason = optionalText(fields, 'reason');
  const quality = optionalWord(fields, 'quality', TEMPLATE_QUALITIES);
  const category = optionalWord(fields, 'category', TEMPLATE_CATEGORIES);
  const components = optionalList(fields, 'components', 10)?.filter(isObject);
  if (event === undefined && quality === undefined && category === undefined && components === undefined) {
    throw new BadInput('body', 'must name at least one of event, quality, category, components');
  }
  if (components !== undefined) {
    found.components = components;
    simulation.tellTemplate(wabaId, found, { kind: 'components' });
  }
  if (category !== undefined && category !== found.category) {
    const previous = found.category;
    found.previous_category = previous;
    found.category = category;
    simulation.tellTemplate(wabaId, found, { kind: 'category', previous });
  }
  if (quality !== undefined && quality !== found.quality) {
    const previous = found.quality;
    found.quality = quality;
    found.quality_at = clock.now();
    simulation.tellTemplate(wabaId, found, { kind: 'quality', previous });
  }
  if (event !== undefined) happen(simulation, wabaId, found, event, reason);
  return found;
}

function happen(
  simulation: Simulation,
  wabaId: string,
  template: Template,
  event: (typeof EVENTS)[number],
  reason: string | undefined,
): void {
  const { templates } = simulation;
  switch (event) {
    case 'APPROVED':
      templates.approve(wabaId, template);
      return;
    case 'PAUSED':
      templates.pause(wabaId, template);
      return;
    case 'DISABLED':
      templates.disable(wabaId, template);
      return;
    case 'REJECTED': {
      template.review++;
      template.status = 'REJECTED';
      template.rejected_reason = reason ?? 'INVALID_FORMAT';
      const info = { reason: 'The format of the template is not right.', recommendation: 'Check its variables.' };
      simulation.tellTemplate(wabaId, template, {
        kind: 'status',
        event,
        reason: template.rejected_reason,
        ...(template.rejected_reason === 'INVALID_FORMAT' ? { rejection_info: info } : {}),
      });
      return;
    }
    case 'REINSTATED':
    case 'UNARCHIVED':
    case 'UNLOCKED':
      template.status = 'APPROVED';
      simulation.tellTemplate(wabaId, template, { kind: 'status', event, reason });
      return;
    default: {
      const status = STATUSES.find((known) => known === event);
      if (status) template.status = status;
      simulation.tellTemplate(wabaId, template, { kind: 'status', event, reason });
    }
  }
}

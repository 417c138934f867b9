import { TEMPLATE_CATEGORIES, type TemplateCategory } from './template-definition.ts';
import { asRecord, wordOf } from './template-shape.ts';

/** WhatsApp's words for templates, read as ours. */

/** A category as WhatsApp writes it, in capitals; null: it is none of ours. */
export function categoryWord(word: unknown): TemplateCategory | null {
  const category = typeof word === 'string' ? word.toLowerCase() : '';
  return TEMPLATE_CATEGORIES.find((known) => known === category) ?? null;
}

/** Events of a webhook that are the status from then on (Meta: webhooks/reference/message_template_status_update). */
const STATUSES: readonly string[] = [
  'APPROVED',
  'REJECTED',
  'PENDING',
  'IN_APPEAL',
  'PAUSED',
  'DISABLED',
  'FLAGGED',
  'LIMIT_EXCEEDED',
  'ARCHIVED',
  'DELETED',
  'PENDING_DELETION',
];

/** Events after which a template is sent again. */
const AGAIN: readonly string[] = ['REINSTATED', 'UNARCHIVED', 'UNPAUSED'];

/**
 * The status that a webhook's `event` leaves a template in. LOCKED only says that it cannot be edited: what it means for
 * sending stands in `other_info.title`.
 * @returns null when the event does not tell.
 */
export function statusOfEvent(value: Readonly<Record<string, unknown>>): string | null {
  const event = wordOf(value['event']);
  if (AGAIN.includes(event)) return 'APPROVED';
  if (STATUSES.includes(event)) return event;
  const title = wordOf(asRecord(value['other_info'])['title']);
  if (title === 'UNPAUSE') return 'APPROVED';
  if (title.endsWith('_PAUSE')) return 'PAUSED';
  return title === 'DISABLED' ? 'DISABLED' : null;
}

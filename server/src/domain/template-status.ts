import type { TemplateId } from './ids.ts';
import type { TemplateDefinition } from './template-definition.ts';
import type { TemplateShape } from './template-shape.ts';

/** A template with the words that tell whether it can be sent. */
export interface StoredTemplate extends TemplateDefinition {
  id: TemplateId;
  status: string;
  /** Why it was rejected, paused or refused. */
  reason: string | null;
  /** What it asks of whoever sends it: read of its components once. */
  shape: TemplateShape;
}

/** What becomes of messages with a template, by its status. */
export type TemplateFate = 'send' | 'hold' | 'refuse';

/** FLAGGED: its quality is low, and it goes on. The provider's words for all others say that it is not sent. */
export function fateOf(status: string): TemplateFate {
  if (status === 'APPROVED' || status === 'FLAGGED') return 'send';
  return status === 'PAUSED' ? 'hold' : 'refuse';
}

/** Statuses that may pass by themselves: what waits for such a template goes on waiting. The others end it. */
const PASSING: readonly string[] = ['SUBMITTING', 'PENDING', 'IN_APPEAL', 'LIMIT_EXCEEDED', 'LOCKED', 'ARCHIVED'];

/** What becomes of messages that were accepted already: they are held as long as the template may come back, and else fail. */
export function fateOfAccepted(status: string): 'send' | 'hold' | 'fail' {
  if (fateOf(status) === 'send') return 'send';
  return status === 'PAUSED' || PASSING.includes(status) ? 'hold' : 'fail';
}

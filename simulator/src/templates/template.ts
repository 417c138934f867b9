import { isList, isObject, type JsonObject } from '../json.ts';
import type { Category } from '../webhooks/payloads.ts';

export const STATUSES = [
  'APPROVED',
  'PENDING',
  'REJECTED',
  'PAUSED',
  'DISABLED',
  'IN_APPEAL',
  'FLAGGED',
  'LOCKED',
  'ARCHIVED',
  'PENDING_DELETION',
] as const;
export type TemplateStatus = (typeof STATUSES)[number];

export const TEMPLATE_CATEGORIES = ['UTILITY', 'AUTHENTICATION', 'MARKETING'] as const;
export const TEMPLATE_QUALITIES = ['GREEN', 'YELLOW', 'RED', 'UNKNOWN'] as const;

/** A message template of one business account. Times are milliseconds since 1970 on the simulator's clock. */
export interface Template {
  id: string;
  name: string;
  language: string;
  status: TemplateStatus;
  category: (typeof TEMPLATE_CATEGORIES)[number];
  previous_category?: (typeof TEMPLATE_CATEGORIES)[number];
  parameter_format: 'POSITIONAL' | 'NAMED';
  components: readonly JsonObject[];
  quality: (typeof TEMPLATE_QUALITIES)[number];
  quality_at: number;
  /** Why it was rejected; NONE when it was not. */
  rejected_reason: string;
  message_send_ttl_seconds?: number;
  /** How often it was paused: the third time it is disabled. */
  pauses: number;
  /** When the pause ends by itself. */
  paused_until: number;
  /** When it was edited while it was approved. */
  edits: number[];
  /** Whether it was ever approved: then its name stays blocked for 30 days when it is deleted. */
  was_approved: boolean;
  /** Which review counts: an older one that ends late says nothing. */
  review: number;
}

/** A template that has just been made, and waits for its review. */
export function newTemplate(
  given: Pick<Template, 'id' | 'name' | 'language' | 'category' | 'parameter_format' | 'components'>,
): Template {
  return {
    ...given,
    status: 'PENDING',
    quality: 'UNKNOWN',
    quality_at: 0,
    rejected_reason: 'NONE',
    pauses: 0,
    paused_until: 0,
    edits: [],
    was_approved: false,
    review: 0,
  };
}

/** The category of a template as pricing names it. */
export function categoryOf(template: Template): Category {
  return template.category === 'UTILITY'
    ? 'utility'
    : template.category === 'MARKETING'
      ? 'marketing'
      : 'authentication';
}

const VARIABLE = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** The names of the variables of a text, each once, in their order. */
export function variablesOf(text: unknown): string[] {
  return typeof text === 'string' ? [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1] ?? ''))] : [];
}

/** The component of this type, in a template or in a send. */
export function componentOf(components: unknown, type: string): JsonObject | undefined {
  const list = isList(components) ? components.filter(isObject) : [];
  return list.find((component) => String(component.type).toLowerCase() === type);
}

/** The buttons of a template, in order. */
export function buttonsOf(components: readonly JsonObject[]): JsonObject[] {
  const buttons = componentOf(components, 'buttons')?.buttons;
  return isList(buttons) ? buttons.filter(isObject) : [];
}

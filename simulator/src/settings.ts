import { fieldsOf, optionalNumber } from './input.ts';

/** How the simulated network behaves when nothing goes wrong. Times are milliseconds after a message was accepted. */
export interface Settings {
  sent_after: number;
  delivered_after: number;
  read_after: number;
  /** How many statuses of one number travel in one webhook. They wait for company at most 20 ms. */
  statuses_per_webhook: number;
  /** How many webhooks may be on their way at once, over all addresses. */
  webhook_concurrency: number;
  /** When a new template is approved, after it was created. */
  template_review: number;
}

export const DEFAULT_SETTINGS: Readonly<Settings> = {
  sent_after: 50,
  delivered_after: 200,
  read_after: 1000,
  statuses_per_webhook: 1,
  webhook_concurrency: 64,
  template_review: 1000,
};

const DAY = 86_400_000;

const BOUNDS: Record<keyof Settings, { min: number; max: number }> = {
  sent_after: { min: 0, max: DAY },
  delivered_after: { min: 0, max: DAY },
  read_after: { min: 0, max: DAY },
  statuses_per_webhook: { min: 1, max: 1000 },
  webhook_concurrency: { min: 1, max: 1024 },
  template_review: { min: 0, max: DAY },
};

const SETTING_NAMES = [
  'sent_after',
  'delivered_after',
  'read_after',
  'statuses_per_webhook',
  'webhook_concurrency',
  'template_review',
] as const;

/** Changes in `settings` what `body` names, all or nothing. Throws BadInput. */
export function changeSettings(settings: Settings, body: unknown): void {
  const fields = fieldsOf(body, SETTING_NAMES);
  const changed = { ...settings };
  for (const name of SETTING_NAMES) changed[name] = optionalNumber(fields, name, BOUNDS[name]) ?? settings[name];
  Object.assign(settings, changed);
}

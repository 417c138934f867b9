import { BadInput, fieldsOf, optionalText, requiredText } from './input.ts';
import { isObject } from './json.ts';
import { MESSAGING_LIMITS } from './numbers.ts';
import type { Simulation } from './simulation.ts';
import { dailyUsers } from './webhooks/account-news.ts';

/**
 * POST /_simulator/account_events: `{"waba_id", "field", "value"}` tells by webhook what Meta says of an account. What it
 * says of limits and of the review is then true of the account. Throws BadInput.
 */
export function tellAccount(simulation: Simulation, body: unknown): { told: string } {
  const fields = fieldsOf(body, ['waba_id', 'field', 'value']);
  const wabaId = requiredText(fields, 'waba_id');
  const members = simulation.numbers.ofAccount(wabaId);
  const field = requiredText(fields, 'field', { pattern: /^[a-z_]{3,60}$/, meaning: 'the name of a webhook field' });
  const { value } = fields;
  if (!isObject(value)) throw new BadInput('value', 'must be what Meta documents for the field, a JSON object');
  if (field === 'business_capability_update') {
    const daily = value.max_daily_conversations_per_business;
    for (const limit of MESSAGING_LIMITS) {
      for (const number of members) {
        if (limit === daily || dailyUsers({ ...number, messaging_limit: limit }) === daily) {
          number.messaging_limit = limit;
        }
      }
    }
  }
  if (field === 'account_review_update') {
    simulation.reviews.set(wabaId, optionalText(value, 'decision', { at: 'value.' }) ?? 'APPROVED');
  }
  simulation.tellAccount(wabaId, field, value);
  return { told: field };
}

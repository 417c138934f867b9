import {
  BadInput,
  fieldsOf,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalText,
  optionalWord,
} from '../input.ts';
import { isObject, type JsonObject } from '../json.ts';
import { KINDS, type Kind, type Limit, type Plan, type Treatment, type WebhookFault } from './plan.ts';

const MAX_RULES = 1000;
const MAX_DELAY = 3_600_000;
const NO_LIMITS: readonly Limit[] = [];

/** The fields each kind of rule has, besides those that every rule has. */
const OWN_FIELDS = {
  error: ['code'],
  failed: ['code'],
  slow: ['delay'],
  cut_before: [],
  cut_after: [],
  garbage: ['accepted'],
  server_error: ['status'],
  webhook_duplicate: ['times', 'kinds'],
  webhook_reorder: [],
  webhook_delay: ['delay', 'kinds'],
  webhook_lost: ['kinds'],
  webhook_never_retried: ['kinds'],
  throughput: ['per_second'],
  pair_rate: [],
} as const satisfies Record<(Treatment | WebhookFault | Limit)['kind'], readonly string[]>;

type RuleKind = keyof typeof OWN_FIELDS;
const RULE_KINDS: readonly RuleKind[] = Object.keys(OWN_FIELDS).filter((kind): kind is RuleKind => kind in OWN_FIELDS);

interface Rule {
  phone_number_id?: string;
  probability: number;
  /** The rule's own stream of random numbers, so that one rule does not disturb another. */
  random: () => number;
  effect:
    | { of: 'treatment'; treatment: Treatment }
    | { of: 'webhook'; fault: WebhookFault }
    | { of: 'limit'; limit: Limit };
}

/** A stream of numbers from 0 up to 1 that a seed determines (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The faults that are configured, for one number or for all. */
export class FaultRules {
  #configured: JsonObject = { seed: 1, rules: [] };
  #rules: readonly Rule[] = [];

  /** As they were configured. */
  describe(): JsonObject {
    return this.#configured;
  }

  /** Replaces all rules by those of `{"seed"?, "rules": [...]}`. Throws BadInput, and then changes nothing. */
  configure(body: unknown): void {
    const fields = fieldsOf(body, ['seed', 'rules']);
    const seed = optionalNumber(fields, 'seed', { min: 0, max: 4_294_967_295 }) ?? 1;
    const list = optionalList(fields, 'rules', MAX_RULES);
    if (!list) throw new BadInput('rules', 'is missing');
    this.#rules = list.map((rule, index) => parseRule(rule, `rules.${index}.`, seeded(seed + index * 7919)));
    this.#configured = { seed, rules: list };
  }

  clear(): void {
    this.#configured = { seed: 1, rules: [] };
    this.#rules = [];
  }

  /**
   * What happens to the next message of a number: the first treatment whose chance comes up, and every webhook fault
   * whose chance comes up. The same requests in the same order meet the same faults.
   */
  draw(phoneNumberId: string): Plan | undefined {
    if (this.#rules.length === 0) return undefined;
    let treatment: Treatment | undefined;
    const webhooks: WebhookFault[] = [];
    for (const rule of this.#rules) {
      if (rule.effect.of === 'limit') continue;
      if (rule.phone_number_id !== undefined && rule.phone_number_id !== phoneNumberId) continue;
      if (rule.probability < 1 && rule.random() >= rule.probability) continue;
      if (rule.effect.of === 'webhook') webhooks.push(rule.effect.fault);
      else treatment ??= rule.effect.treatment;
    }
    return { treatment, webhooks };
  }

  /** The limits that are enforced for a number. */
  limits(phoneNumberId: string): readonly Limit[] {
    if (this.#rules.length === 0) return NO_LIMITS;
    const limits: Limit[] = [];
    for (const { effect, phone_number_id } of this.#rules) {
      if (effect.of !== 'limit') continue;
      if (phone_number_id === undefined || phone_number_id === phoneNumberId) limits.push(effect.limit);
    }
    return limits;
  }
}

function parseRule(value: unknown, at: string, random: () => number): Rule {
  if (!isObject(value)) throw new BadInput(at.slice(0, -1), 'must be a JSON object with a field "kind"');
  const kind = optionalWord(value, 'kind', RULE_KINDS, at);
  if (kind === undefined) throw new BadInput(`${at}kind`, `is missing; it is one of ${RULE_KINDS.join(', ')}`);
  const fields = fieldsOf(value, ['kind', 'phone_number_id', 'probability', ...OWN_FIELDS[kind]], at);
  const phoneNumberId = optionalText(fields, 'phone_number_id', { at });
  const probability = optionalNumber(fields, 'probability', { min: 0, max: 1, fraction: true, at }) ?? 1;
  const effect = parseEffect(kind, fields, at);
  if (effect.of === 'limit' && probability !== 1) {
    throw new BadInput(`${at}probability`, `a rule of kind ${kind} counts messages; it has no probability`);
  }
  return { phone_number_id: phoneNumberId, probability, random, effect };
}

function parseEffect(kind: RuleKind, fields: JsonObject, at: string): Rule['effect'] {
  const needed = (name: string, min: number, max: number): number => {
    const value = optionalNumber(fields, name, { min, max, at });
    if (value === undefined) throw new BadInput(at + name, `is missing; it is a whole number from ${min} to ${max}`);
    return value;
  };
  switch (kind) {
    case 'error':
    case 'failed':
      return { of: 'treatment', treatment: { kind, code: needed('code', 0, 9_999_999) } };
    case 'slow':
      return { of: 'treatment', treatment: { kind, delay: needed('delay', 1, MAX_DELAY) } };
    case 'cut_before':
    case 'cut_after':
      return { of: 'treatment', treatment: { kind } };
    case 'garbage':
      return { of: 'treatment', treatment: { kind, accepted: optionalBoolean(fields, 'accepted', at) ?? true } };
    case 'server_error':
      return {
        of: 'treatment',
        treatment: { kind, status: fields.status === undefined ? 500 : needed('status', 400, 599) },
      };
    case 'webhook_duplicate': {
      const times = fields.times === undefined ? 2 : needed('times', 2, 20);
      return { of: 'webhook', fault: { kind, times, kinds: parseKinds(fields, at) } };
    }
    case 'webhook_delay':
      return { of: 'webhook', fault: { kind, delay: needed('delay', 1, MAX_DELAY), kinds: parseKinds(fields, at) } };
    case 'webhook_lost':
    case 'webhook_never_retried':
      return { of: 'webhook', fault: { kind, kinds: parseKinds(fields, at) } };
    case 'webhook_reorder':
      return { of: 'webhook', fault: { kind } };
    case 'throughput':
      return {
        of: 'limit',
        limit: { kind, per_second: optionalNumber(fields, 'per_second', { min: 1, max: 100_000, at }) },
      };
    case 'pair_rate':
      return { of: 'limit', limit: { kind } };
  }
}

function parseKinds(fields: JsonObject, at: string): readonly Kind[] | undefined {
  return optionalList(fields, 'kinds', KINDS.length, at)?.map((item, index) => {
    const kind = optionalWord({ [index]: item }, `${index}`, KINDS, `${at}kinds.`);
    if (kind === undefined) throw new BadInput(`${at}kinds.${index}`, `must be one of ${KINDS.join(', ')}`);
    return kind;
  });
}

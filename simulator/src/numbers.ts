import { BadInput, fieldsOf, optionalNumber, optionalText, optionalWord, requiredText } from './input.ts';

export const QUALITIES = ['GREEN', 'YELLOW', 'RED', 'UNKNOWN'] as const;
export const NAME_STATUSES = ['APPROVED', 'PENDING_REVIEW', 'DECLINED', 'EXPIRED', 'NONE'] as const;
export const MESSAGING_LIMITS = ['TIER_250', 'TIER_2K', 'TIER_10K', 'TIER_100K', 'TIER_UNLIMITED'] as const;

/** A business number: what messages are sent from. */
export interface BusinessNumber {
  phone_number_id: string;
  /** Digits only, as webhooks have it. */
  display_phone_number: string;
  waba_id: string;
  /** The business portfolio that owns the account. Portfolios share one messaging limit. */
  portfolio_id: string;
  verified_name: string;
  name_status: (typeof NAME_STATUSES)[number];
  /** Messages a second that it reports. Enforced only by the setting or a fault rule `throughput`. */
  throughput: number;
  quality_rating: (typeof QUALITIES)[number];
  messaging_limit: (typeof MESSAGING_LIMITS)[number];
}

/** The number that exists from the start. Its ids are those of Meta's documentation. */
export const DEFAULT_NUMBER: Readonly<BusinessNumber> = {
  phone_number_id: '106540352242922',
  display_phone_number: '15550783881',
  waba_id: '102290129340398',
  portfolio_id: '506914307656634',
  verified_name: 'Aldis Demo',
  name_status: 'APPROVED',
  throughput: 1000,
  quality_rating: 'GREEN',
  messaging_limit: 'TIER_UNLIMITED',
};

const MAX_NUMBERS = 10_000;
const ID = { pattern: /^\d{5,20}$/, meaning: '5 to 20 digits' };
const FIELDS = [
  'phone_number_id',
  'display_phone_number',
  'waba_id',
  'portfolio_id',
  'verified_name',
  'name_status',
  'throughput',
  'quality_rating',
  'messaging_limit',
];

/** The business numbers that this simulator knows. */
export class Numbers {
  readonly #numbers = new Map<string, BusinessNumber>([[DEFAULT_NUMBER.phone_number_id, { ...DEFAULT_NUMBER }]]);

  get(phoneNumberId: string): BusinessNumber | undefined {
    return this.#numbers.get(phoneNumberId);
  }

  all(): BusinessNumber[] {
    return [...this.#numbers.values()];
  }

  /** The numbers of one WhatsApp business account, none when there is no such account. */
  ofAccount(wabaId: string): BusinessNumber[] {
    return this.all().filter((number) => number.waba_id === wabaId);
  }

  /** Changes a known number, and gives it as it was and as it is. Throws BadInput. */
  change(body: unknown): { before: BusinessNumber; after: BusinessNumber } {
    const id = requiredText(fieldsOf(body, FIELDS), 'phone_number_id', ID);
    const known = this.#numbers.get(id);
    if (!known) throw new BadInput('phone_number_id', `there is no number ${id}; POST makes one`);
    return { before: { ...known }, after: this.put(body) };
  }

  /** The first number of an account, which stands for it. */
  firstOf(wabaId: string): BusinessNumber | undefined {
    for (const number of this.#numbers.values()) if (number.waba_id === wabaId) return number;
    return undefined;
  }

  /** Adds a number, or changes of a known one what `body` names. Throws BadInput. */
  put(body: unknown): BusinessNumber {
    const fields = fieldsOf(body, FIELDS);
    const id = requiredText(fields, 'phone_number_id', ID);
    const known = this.#numbers.get(id);
    if (!known && this.#numbers.size >= MAX_NUMBERS) {
      throw new BadInput('phone_number_id', `there are ${MAX_NUMBERS} numbers already`);
    }
    const before = known ?? { ...DEFAULT_NUMBER, display_phone_number: `1555${id.slice(-7).padStart(7, '0')}` };
    const display = optionalText(fields, 'display_phone_number', {
      pattern: /^\+?\d[\d ()-]{5,24}$/,
      meaning: 'a phone number with its country code',
    });
    const number: BusinessNumber = {
      phone_number_id: id,
      display_phone_number: display?.replace(/\D/g, '') ?? before.display_phone_number,
      waba_id: optionalText(fields, 'waba_id', ID) ?? before.waba_id,
      portfolio_id: optionalText(fields, 'portfolio_id', ID) ?? before.portfolio_id,
      verified_name: optionalText(fields, 'verified_name', { max: 256 }) ?? before.verified_name,
      name_status: optionalWord(fields, 'name_status', NAME_STATUSES) ?? before.name_status,
      throughput: optionalNumber(fields, 'throughput', { min: 1, max: 100_000 }) ?? before.throughput,
      quality_rating: optionalWord(fields, 'quality_rating', QUALITIES) ?? before.quality_rating,
      messaging_limit: optionalWord(fields, 'messaging_limit', MESSAGING_LIMITS) ?? before.messaging_limit,
    };
    if (known) return Object.assign(known, number);
    this.#numbers.set(id, number);
    return number;
  }
}

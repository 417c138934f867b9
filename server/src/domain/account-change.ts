/**
 * What a webhook says of an account and not of a message: `entry[].changes[]` with any field but `messages`
 * (Meta: webhooks/overview). `value` is passed on as it came: whoever handles the field reads it with care.
 */
export interface AccountChange {
  /** The app whose secret signed it. */
  app: string;
  /** The WhatsApp Business Account: `entry[].id`. */
  account_id: string;
  field: string;
  value: Readonly<Record<string, unknown>>;
  /** When it was stored here, in milliseconds since 1970. Applying the same change twice has to be harmless. */
  at: number;
}

/** The number that a change is about: `value.metadata.phone_number_id`. null: it names none that could be one. */
export function phoneNumberIdOf({ value }: Pick<AccountChange, 'value'>): string | null {
  const { metadata } = value;
  if (typeof metadata !== 'object' || metadata === null || !('phone_number_id' in metadata)) return null;
  const { phone_number_id: id } = metadata;
  return typeof id === 'string' && /^[\x21-\x7e]{1,64}$/.test(id) ? id : null;
}

/**
 * Applies changes of one field, in their order.
 * @throws when the store cannot be reached: they are applied again later. A change that cannot be read is left out and told of in
 *   the answer.
 * @returns why each change that was left out was; empty when all were applied.
 */
export type ApplyAccountChanges = (changes: readonly AccountChange[]) => Promise<string[]>;

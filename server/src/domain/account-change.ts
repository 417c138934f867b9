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

/**
 * Applies changes of one field, in their order.
 * @throws when the store cannot be reached: they are applied again later. A change that cannot be read is left out and told of in
 *   the answer.
 * @returns why each change that was left out was; empty when all were applied.
 */
export type ApplyAccountChanges = (changes: readonly AccountChange[]) => Promise<string[]>;

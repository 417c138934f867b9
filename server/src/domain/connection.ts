/**
 * Whether a sender can send is a fact learned from the provider, not a setting: who asks, and what came of it.
 */
export interface ConnectionCheck {
  /** Asks the provider about a number with the token that it sends with. Never throws. */
  check(number: { phone_number_id: string; access_token: string }): Promise<Connection>;
}

/**
 * - `connected`: the provider knows the number, and the token may use it. `phone`: the number as it tells it, E.164.
 * - `not_connected`: it cannot send until a person does something. `detail` says what.
 * - `unknown`: the provider said nothing that tells. What was known before still holds.
 */
export type Connection =
  | { kind: 'connected'; phone: string | null }
  | { kind: 'not_connected'; detail: string }
  | { kind: 'unknown'; detail: string };

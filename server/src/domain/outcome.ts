/**
 * What came of one call to the provider: a closed union. One function, `settlementOf` in actions/settle-sends.ts, maps it to
 * what happens to the message.
 */
export type Outcome =
  /** The provider has it and gave it an id. */
  | { kind: 'sent'; wamid: string }
  /** The provider answered with an error of its table. `retryAfter`: milliseconds it asked to wait, if it did. */
  | { kind: 'error'; code: number; title: string; detail: string | null; retryAfter: number | null }
  /** Certainly not sent: the connection was never made, or we stopped before the first byte. */
  | { kind: 'not_sent'; detail: string }
  /** The request left, and no answer of the provider's came back: only a receipt can tell. */
  | { kind: 'unknown'; detail: string };

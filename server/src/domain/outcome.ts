/**
 * What came of one call: a closed union. One function, `settlementOf` in actions/settle-sends.ts, maps it to what happens to
 * the message.
 */
export type Outcome =
  /** The provider has it and gave it an id. */
  | { kind: 'sent'; wamid: string }
  /** The provider answered with an error of its table. `retryAfter`: milliseconds it asked to wait, if it did. */
  | { kind: 'error'; code: number; title: string; detail: string | null; retryAfter: number | null }
  /**
   * Certainly not sent: the connection was never made, or we stopped before the first byte. `own`: we stopped it, and it tells nothing of
   * the other side.
   */
  | { kind: 'not_sent'; detail: string; own?: true }
  /** The request left, and no answer of the provider's came back: only a receipt can tell. */
  | { kind: 'unknown'; detail: string }
  /**
   * Of a channel that delivers at least once: it failed, or nobody knows, and either way it is sent again. `code`: the HTTP
   * status, 0 without an answer. `retryAfter`: milliseconds it asked to wait, if it did.
   */
  | { kind: 'again'; code: number; title: string; detail: string | null; retryAfter: number | null }
  /** The other side refused it by its HTTP status: this message will never leave. */
  | { kind: 'refused'; code: number; title: string; detail: string | null };

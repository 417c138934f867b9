/** What a status or a customer's message is called where webhooks are counted or picked. */
export const KINDS = ['sent', 'delivered', 'read', 'played', 'failed', 'message', 'template', 'account'] as const;
export type Kind = (typeof KINDS)[number];

/** How the caller of a send is treated. */
export type Treatment =
  /** Answers an error of the table. Not accepted. */
  | { kind: 'error'; code: number }
  /** Accepts, and says later by a webhook that it failed. */
  | { kind: 'failed'; code: number }
  /** Accepts at once and answers late. */
  | { kind: 'slow'; delay: number }
  /** Destroys the connection without accepting, or after accepting. */
  | { kind: 'cut_before' }
  | { kind: 'cut_after' }
  /** Answers 200 with something that is no JSON. */
  | { kind: 'garbage'; accepted: boolean }
  /** Answers an HTTP error with a web page instead of Graph's body. Not accepted. */
  | { kind: 'server_error'; status: number };

/** What happens to the webhooks about a message. Undefined in `kinds` means all of them. */
export type WebhookFault =
  | { kind: 'webhook_duplicate'; times: number; kinds?: readonly Kind[] }
  | { kind: 'webhook_reorder' }
  | { kind: 'webhook_delay'; delay: number; kinds?: readonly Kind[] }
  | { kind: 'webhook_lost'; kinds?: readonly Kind[] }
  | { kind: 'webhook_never_retried'; kinds?: readonly Kind[] };

/** Limits that Meta enforces and this simulator only when told. */
export type Limit = { kind: 'throughput'; per_second?: number } | { kind: 'pair_rate' };

/** Everything that shall happen to one message. */
export interface Plan {
  treatment?: Treatment;
  webhooks: readonly WebhookFault[];
}

/** The plan of a message that nothing happens to. */
export const NO_FAULTS: Plan = { webhooks: [] };

/** What becomes of one webhook. */
export interface Fate {
  lost: boolean;
  /** Milliseconds more than usual. */
  delay: number;
  copies: number;
  retried: boolean;
}

/** What the faults make of a webhook of this kind. */
export function fateOf(faults: readonly WebhookFault[], kind: Kind): Fate {
  const fate: Fate = { lost: false, delay: 0, copies: 1, retried: true };
  for (const fault of faults) {
    if (fault.kind === 'webhook_reorder' || (fault.kinds && !fault.kinds.includes(kind))) continue;
    if (fault.kind === 'webhook_lost') fate.lost = true;
    else if (fault.kind === 'webhook_delay') fate.delay += fault.delay;
    else if (fault.kind === 'webhook_duplicate') fate.copies = Math.max(fate.copies, fault.times);
    else fate.retried = false;
  }
  return fate;
}

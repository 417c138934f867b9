import type { MessageId, SenderId, TenantId } from './ids.ts';
import type { State } from './message.ts';

/** What the provider tells of a message it has: its word, and when, to the second. */
export type ReceiptStatus = 'sent' | 'delivered' | 'read' | 'played' | 'failed';
export const RECEIPT_STATUSES = [
  'sent',
  'delivered',
  'read',
  'played',
  'failed',
] as const satisfies readonly ReceiptStatus[];

/** A receipt of good news, ready to be merged. `at` is milliseconds since 1970. */
export interface Receipt {
  tenant: TenantId;
  sender: SenderId;
  message: MessageId;
  wamid: string;
  /** Which attempt it names; null: it did not say. */
  attempt: number | null;
  status: Exclude<ReceiptStatus, 'failed'>;
  at: number;
}

/** Bad news of one attempt. `attempt` null: the receipt did not say; it is the one that has this wamid. */
export interface FailedReceipt {
  tenant: TenantId;
  sender: SenderId;
  message: MessageId;
  wamid: string;
  attempt: number | null;
  at: number;
  code: number;
  title: string;
  detail: string | null;
}

/** A receipt whose message is not known, kept whole. */
export interface ParkedReceipt {
  tenant_id: TenantId;
  wamid: string;
  status: string;
  receipt: object;
}

/**
 * All the good news of one message in one: the highest word, and for each word the earliest time at which it held. A later
 * word implies the earlier ones. Merging is commutative, associative and idempotent, so that order and repetition of
 * receipts do not matter.
 */
export interface MergedReceipt {
  tenant: TenantId;
  sender: SenderId;
  message: MessageId;
  wamid: string;
  /** The latest attempt that was named. */
  attempt: number | null;
  state: State & ('sent' | 'delivered' | 'read' | 'played');
  sent: number;
  delivered: number | null;
  read: number | null;
  played: number | null;
}

const RANK = { sent: 0, delivered: 1, read: 2, played: 3 } as const;

/** Merges receipts, one entry a message, in the order in which the messages were first named. */
export function mergeReceipts(receipts: readonly Receipt[]): MergedReceipt[] {
  const merged = new Map<MessageId, MergedReceipt>();
  for (const receipt of receipts) {
    const rank = RANK[receipt.status];
    const before = merged.get(receipt.message);
    if (!before) {
      merged.set(receipt.message, {
        tenant: receipt.tenant,
        sender: receipt.sender,
        message: receipt.message,
        wamid: receipt.wamid,
        attempt: receipt.attempt,
        state: receipt.status,
        sent: receipt.at,
        delivered: rank >= RANK.delivered ? receipt.at : null,
        read: rank >= RANK.read ? receipt.at : null,
        played: rank >= RANK.played ? receipt.at : null,
      });
      continue;
    }
    if (rank > RANK[before.state]) before.state = receipt.status;
    // Two copies of one message may have been accepted after a doubt: the row keeps one of the ids, always the same.
    if (receipt.wamid < before.wamid) before.wamid = receipt.wamid;
    if (receipt.attempt !== null) before.attempt = Math.max(before.attempt ?? 0, receipt.attempt);
    before.sent = Math.min(before.sent, receipt.at);
    if (rank >= RANK.delivered) before.delivered = earlier(before.delivered, receipt.at);
    if (rank >= RANK.read) before.read = earlier(before.read, receipt.at);
    if (rank >= RANK.played) before.played = earlier(before.played, receipt.at);
  }
  return [...merged.values()];
}

function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}

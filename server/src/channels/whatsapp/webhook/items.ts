import type { CustomerMessage, PersonNames } from '../../../domain/inbound-message.ts';
import type { ReceiptStatus } from '../../../domain/receipt.ts';

/** What stands in a webhook: one item of one change of one entry. */
export type WebhookItem = {
  /** Where in the webhook, for who looks it up there: `entry[0].changes[2].messages[17]`. */
  place: string;
} & (
  | {
      kind: 'status';
      phoneNumberId: string;
      wamid: string;
      status: ReceiptStatus;
      /** Milliseconds since 1970; Meta gives whole seconds. */
      at: number;
      opaque: string | null;
      error: { code: number; title: string; detail: string | null } | null;
      /** Whom it was sent to, when both his names are told. */
      recipient: { phone: string; userId: string } | null;
      /** WhatsApp's own number of whom it was sent to, where that may be another one than was written to. */
      ownPhone?: string;
    }
  | { kind: 'message'; phoneNumberId: string; message: CustomerMessage }
  /** A customer called. `at`: milliseconds since 1970. */
  | ({ kind: 'call'; phoneNumberId: string; at: number } & PersonNames)
  /** Something of the account's, in a field that is not of messages: templates, quality, alerts. */
  | { kind: 'change'; accountId: string; field: string; value: Record<string, unknown> }
  /** An error that the provider tells of and that belongs to no message. */
  | { kind: 'error'; phoneNumberId: string | null; code: number; title: string }
  /** Something that nothing is done about. Kept raw. */
  | { kind: 'other'; field: string }
  | { kind: 'unreadable'; reason: string }
);

import type { Category } from '../webhooks/payloads.ts';
import type { MessageType } from './message-check.ts';

/** A message that has nothing wrong with it. */
export interface Message {
  type: MessageType;
  /** As it was sent. */
  to: string;
  /** Digits of the phone number, or undefined when `to` is a business-scoped user id. */
  waId: string | undefined;
  opaque: string | undefined;
  category: Category;
}

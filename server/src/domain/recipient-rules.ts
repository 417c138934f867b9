import type { ErrorCode } from './errors.ts';
import type { Category, NewMessage } from './message.ts';

/** What is known of whom a message is for. Nobody known: nothing is suppressed, and no window is known to be closed. */
export interface RecipientFacts {
  /** A sum of `SUPPRESSED`. */
  suppressed: number;
  /** Whether the customer's window with this sender is over. false too when nothing was ever heard. */
  window_closed: boolean;
}

/** What somebody gets none of. As contact_identities.suppressed has it. */
export const SUPPRESSED = { marketing: 1, all: 2 } as const;

export type Refusal = Extract<ErrorCode, 'recipient_suppressed' | 'window_closed'>;

/** What becomes of a message: it goes as it is, its fallback goes in its place, or nothing does. */
export type Ruling = { kind: 'accept' | 'instead'; message: NewMessage } | { kind: 'refused'; code: Refusal };

/**
 * Whether a message may go to its recipient now. WhatsApp takes what is no template only within 24 hours of the customer's last
 * word, 72 after an advertisement; where that time is not known, or is yet to come for a scheduled message, WhatsApp itself
 * says so when it is sent.
 */
export function ruleOn(message: NewMessage, facts: RecipientFacts): Ruling {
  const { fallback = null } = message;
  if (isSuppressed(message.category, facts.suppressed)) return { kind: 'refused', code: 'recipient_suppressed' };
  const fallbackBarred = fallback !== null && isSuppressed(fallback.category, facts.suppressed);
  const needsWindow = message.needs_window === true && message.template === null && message.scheduled_at === null;
  if (needsWindow && facts.window_closed) {
    if (fallback === null) return { kind: 'refused', code: 'window_closed' };
    if (fallbackBarred) return { kind: 'refused', code: 'recipient_suppressed' };
    const { category, template_id = null, held = null, ...template } = fallback;
    const instead = { ...message, type: 'template', category, template, template_id, held, fallback: null } as const;
    return { kind: 'instead', message: instead };
  }
  // It could never go, so it is not kept.
  return { kind: 'accept', message: fallbackBarred ? { ...message, fallback: null } : message };
}

function isSuppressed(category: Category, suppressed: number): boolean {
  if (suppressed === 0) return false;
  return (suppressed & SUPPRESSED.all) !== 0 || (category === 'marketing' && (suppressed & SUPPRESSED.marketing) !== 0);
}

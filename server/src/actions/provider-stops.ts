import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { Consent } from '../domain/consent.ts';
import type { MessageId, TenantId } from '../domain/ids.ts';
import { WINDOW_CLOSED } from '../domain/provider-errors.ts';
import type { Signals } from '../signals/signals.ts';
import { type LearnedBlock, learnBlocked } from '../store/blocked-users.write.ts';
import { findContactsOfMessages } from '../store/consents.read.ts';
import { type ClosedWindow, closeWindows } from '../store/conversations.write.ts';
import { giveConsents } from './consent.ts';

/** The provider's codes that tell of the person and not of the message (Meta: support/error-codes). */
const STOPPED_MARKETING = 131050;
/** The number blocks him: in WhatsApp Manager, say. */
const BLOCKED_BY_US = 130403;

/** Whether a refusal tells anything of the person. */
export function tellsOfPerson({ code }: Pick<RefusedMessage, 'code'>): boolean {
  return code === STOPPED_MARKETING || code === BLOCKED_BY_US || code === WINDOW_CLOSED;
}

/** A message that the provider refused. `at`: milliseconds since 1970. */
export interface RefusedMessage {
  tenant: TenantId;
  message: MessageId;
  code: number;
  at: number;
}

/**
 * Keeps what the provider's refusals tell of people: who stopped marketing messages opted out of them; whom the sender turns out to
 * block stands among its blocked users; whose window is closed has it closed here too. Of one refusal any number of times it is kept
 * once.
 */
export async function recordProviderStops(
  deps: { db: Db; signals: Signals },
  refused: readonly RefusedMessage[],
): Promise<void> {
  const ends = new Map(
    (await findContactsOfMessages(deps.db, refused)).map((row) => [`${row.tenant_id} ${row.message_id}`, row]),
  );
  const stops: Consent[] = [];
  const blocks = new Map<string, LearnedBlock>();
  const closed: ClosedWindow[] = [];
  for (const { tenant, message, code, at } of refused) {
    const found = ends.get(`${tenant} ${message}`);
    if (found === undefined) continue;
    const { contact_id: contact, sender_id: sender } = found;
    if (code === STOPPED_MARKETING) {
      const detail = `error ${code}`;
      stops.push({ tenant, contact, scope: 'marketing', state: 'out', source: 'whatsapp', detail, message, at });
    } else if (code === WINDOW_CLOSED) closed.push({ tenant, contact, sender, message });
    else {
      const pair = `${sender} ${contact}`;
      blocks.set(pair, { tenant, sender, contact, at: Math.max(at, blocks.get(pair)?.at ?? 0) });
    }
  }
  if (stops.length > 0) await giveConsents(deps, stops);
  if (closed.length > 0) await retryingOnConflict(() => closeWindows(deps.db, closed));
  if (blocks.size > 0) await retryingOnConflict(() => learnBlocked(deps.db, [...blocks.values()]));
}

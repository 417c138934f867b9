import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, newId, type TemplateId, type TenantId } from '../domain/ids.ts';
import { fateOfAccepted } from '../domain/template-status.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import {
  failHeld,
  findHeldTemplates,
  findUnsentTemplates,
  holdQueued,
  releaseHeld,
  type UnsettledTemplate,
} from '../store/template-holds.write.ts';

/** What became of messages because of their templates. */
export interface Moved {
  held: number;
  released: number;
  failed: number;
}

const MOST_TOGETHER = 1000;

/**
 * Brings queued messages in line with their templates: those of a template that is paused are held, those of one that is sent
 * again are let go, those of one that will not be sent any more are ended. Whoever accepted a message did so by what it knew
 * of the template then; this mends it, so it is called after each change and from time to time.
 */
export async function settleTemplateHolds(db: Db, signals: Signals): Promise<Moved> {
  const moved: Moved = { held: 0, released: 0, failed: 0 };
  const found = [...(await findHeldTemplates(db)), ...(await findUnsentTemplates(db))];
  const each = new Map(found.map((template) => [`${template.tenant_id}${template.template_id}`, template]));
  for (const template of each.values()) await settle(db, signals, template, moved);
  return moved;
}

async function settle(db: Db, signals: Signals, template: UnsettledTemplate, moved: Moved): Promise<void> {
  const { tenant_id: tenant, template_id: id, status } = template;
  await failpoint('release.before_commit');
  // Of one that is gone nobody here can say more: the provider will.
  switch (status === null ? 'send' : fateOfAccepted(status)) {
    case 'hold':
      moved.held += await untilFewer(() => holdQueued(db, tenant, id, MOST_TOGETHER));
      break;
    case 'send':
      moved.released += await untilFewer(() => letGo(db, signals, tenant, id));
      break;
    case 'fail':
      // What is held is found at once, however many others have left meanwhile.
      await untilFewer(() => holdQueued(db, tenant, id, MOST_TOGETHER));
      moved.failed += await untilFewer(() => endAll(db, signals, template));
      break;
  }
  await failpoint('release.after_commit');
}

/** Repeats a write of at most `MOST_TOGETHER` rows until it finds fewer. */
async function untilFewer(write: () => Promise<number>): Promise<number> {
  let sum = 0;
  for (;;) {
    const count = await retryingOnConflict(write);
    sum += count;
    if (count < MOST_TOGETHER) return sum;
  }
}

async function letGo(db: Db, signals: Signals, tenant: TenantId, template: TemplateId): Promise<number> {
  const lanes = await releaseHeld(db, tenant, template, MOST_TOGETHER);
  for (const lane of new Set(lanes)) signals.notify(`due:${lane}`);
  return lanes.length;
}

async function endAll(
  db: Db,
  signals: Signals,
  { tenant_id, template_id, ...template }: UnsettledTemplate,
): Promise<number> {
  const events = Array.from({ length: MOST_TOGETHER }, () => newId<EventId>());
  const title = `The template ${template.name} (${template.language}) is ${template.status}.`;
  const ended = await failHeld(db, tenant_id, template_id, events, { title, detail: template.reason });
  if (ended.length > 0) signals.notify(`events:${tenant_id}`);
  for (const id of ended) signals.notify(`message:${id}`);
  return ended.length;
}

import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { type EventId, type MessageId, newId } from '../domain/ids.ts';
import type { AfterReceive, ReceivedMessage, StoredMessage } from '../domain/inbound-message.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Signals } from '../signals/signals.ts';
import { findActTargets } from '../store/acts.write.ts';
import { findKnownCustomers, type KnownCustomer } from '../store/customers.read.ts';
import { insertReceivedMessages, type ReceivedRow } from '../store/received.write.ts';
import { actMessages, type WantedAct } from './act-messages.ts';
import { type CustomerBook, needsBook, openCustomerBook, settleNames } from './customer-book.ts';
import { sumUp } from './received-sums.ts';

export type { ReceivedMessage };

/**
 * Takes messages in, in their order: finds or makes contact and conversation, counts them unread, opens the window, and does what
 * they do to other messages. A message that came before (by its provider's id) changes nothing.
 *
 * Most are words of a customer who is known by one name, and cost a question and a statement. What moves names, or acts on other
 * messages, is done in one transaction of several.
 * @param afterReceive what follows from customers' messages; told of repeated ones too, for it may have been cut off before.
 * @returns those that were new.
 */
export async function receiveMessages(
  db: Db,
  signals: Signals,
  messages: readonly ReceivedMessage[],
  slot: number,
  afterReceive?: AfterReceive,
): Promise<readonly StoredMessage[]> {
  const stored = await retryingOnConflict(async () => {
    const known = await findKnownCustomers(db, messages);
    if (!messages.some((message, i) => message.act || needsBook(message, known[i] as KnownCustomer))) {
      const plan = await planOf(db, messages, known);
      if (!plan.book.movesNames) return write(db, plan, slot);
    }
    return db.transaction(async (tx) =>
      write(tx, await planOf(tx, messages, await findKnownCustomers(tx, messages)), slot),
    );
  });
  const fresh = stored.filter((one) => !one.repeated);
  for (const tenant of new Set(fresh.map((one) => one.tenant))) signals.notify(`events:${tenant}`);
  if (fresh.length > 0 && messages.some((message) => message.mediaId)) signals.notify('media');
  if (afterReceive) {
    const said = stored.filter((one) => !one.outbound);
    if (said.length > 0) await afterReceive(said);
  }
  return fresh;
}

/** What is to be written of messages, and what became of each. */
interface Plan {
  taken: (StoredMessage & { outbound: boolean })[];
  rows: { row: ReceivedRow; message: ReceivedMessage }[];
  acts: WantedAct[];
  book: CustomerBook;
}

async function planOf(
  tx: Queryable,
  messages: readonly ReceivedMessage[],
  known: readonly KnownCustomer[],
): Promise<Plan> {
  const book = await openCustomerBook(tx, messages, known);
  const plan: Plan = { taken: [], rows: [], acts: [], book };
  const seen = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const { tenant, sender, wamid, type, at, content: said, outbound = false } = message;
    const twin = `${tenant} ${wamid}`;
    if (seen.has(twin)) continue;
    seen.add(twin);
    const before = known[i] as KnownCustomer;
    const repeated = before.repeated_id !== null;
    const person = repeated ? book.find(before) : book.enter(message, before);
    if (person === null) continue;
    const { contact, conversation, taken } = person;
    const content = taken.length === 0 ? said : { ...said, identity: { taken_over: taken } };
    const id = before.repeated_id ?? newId<MessageId>();
    const place = { tenant, sender, contact, conversation, type, content, at, outbound };
    plan.taken.push({ ...place, message: id, repeated });
    if (repeated) continue;
    const { phone, userId, replyTo, mediaId = null, act } = message;
    const address = phone ?? userId ?? '';
    const row = { ...place, id, event: newId<EventId>(), wamid, address, replyTo, mediaId };
    plan.rows.push({ row, message });
    if (act) plan.acts.push({ tenant, wamid, act, by: contact, from: address, at, outbound });
  }
  return plan;
}

async function write(tx: Queryable, { taken, rows, acts, book }: Plan, slot: number): Promise<Plan['taken']> {
  await failpoint('receive.before_commit');
  if (rows.length > 0) {
    if (acts.length > 0) await nameTargets(tx, rows);
    await insertReceivedMessages(tx, sumUp(rows, book), slot);
    if (book.movesNames) await settleNames(tx, book);
    if (acts.length > 0) await actMessages(tx, acts);
  }
  await failpoint('receive.after_commit');
  return taken;
}

/** Says in what acts on another message which one that is, by our own id, where it is known. */
async function nameTargets(tx: Queryable, rows: Plan['rows']): Promise<void> {
  const asked = rows.flatMap(({ message: { tenant, act } }) => (act ? [{ tenant, wamid: act.target }] : []));
  const ids = new Map(rows.map(({ row }) => [`${row.tenant} ${row.wamid}`, row.id]));
  for (const { tenant_id, wamid, id } of await findActTargets(tx, asked)) ids.set(`${tenant_id} ${wamid}`, id);
  for (const { row, message } of rows) {
    const { act, tenant } = message;
    const target = act && ids.get(`${tenant} ${act.target}`);
    if (!act || !target) continue;
    const part = row.content?.[act.kind];
    row.content = { ...row.content, [act.kind]: { ...(part as object), message_id: target } };
  }
}

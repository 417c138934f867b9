import type { HeldExport } from '../actions/exports.ts';
import type { Queryable } from '../db/pool.ts';
import type { ExportKind, StoredMessageFilter } from '../domain/export.ts';
import { firstIdAt, type MessageId } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import { type ContactRecord, listContacts } from '../store/contact-records.read.ts';
import { listMessages, type MessageFilter } from '../store/messages.read.ts';

/** A page of a list that is exported: rows as the API shows them. `next`: behind which row the next one begins; null: the end. */
export interface ExportPage {
  rows: object[];
  next: string | null;
}

/** How records look: as the API shows them, so that an export has what the list has. */
export interface ExportViews {
  messages: (message: Message) => object;
  contacts: (contact: ContactRecord) => object;
}

/** Ids are made by the clocks of programs, `created_at` by that of the database: so far may they be apart. Milliseconds. */
const CLOCKS_APART = 60_000;

/**
 * Reads a page of an export, the newest first. The bound is the same on every page: what was created after the export was asked
 * for (to the millisecond) is on none of them.
 */
export const EXPORT_PAGES: Readonly<
  Record<
    ExportKind,
    (tx: Queryable, views: ExportViews, held: HeldExport, position: string | null, limit: number) => Promise<ExportPage>
  >
> = {
  async messages(tx, views, { tenant_id, filter, created_at }, position, limit) {
    const asked = filterOf(filter, endOf(created_at));
    const { messages, next } = await listMessages(tx, tenant_id, asked, position as MessageId | null, limit);
    return { rows: messages.map(views.messages), next };
  },

  async contacts(tx, views, { tenant_id, filter, created_at }, position, limit) {
    const end = endOf(created_at);
    const before = position ?? firstIdAt(end.getTime() + CLOCKS_APART);
    const { contacts, next } = await listContacts(tx, tenant_id, filter, before, limit);
    return { rows: contacts.filter((contact) => contact.created_at < end).map(views.contacts), next };
  },
};

/** The database counts in microseconds, we in milliseconds: the one that the export was asked for in belongs to it. */
function endOf(createdAt: Date): Date {
  return new Date(createdAt.getTime() + 1);
}

function filterOf(stored: StoredMessageFilter, end: Date): MessageFilter {
  const { from, until, ...filter } = stored;
  const last = until === undefined ? end : new Date(Math.min(Date.parse(until), end.getTime()));
  return { ...(filter as MessageFilter), from: from === undefined ? undefined : new Date(from), until: last };
}

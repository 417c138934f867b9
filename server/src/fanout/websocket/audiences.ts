import type { Queryable } from '../../db/pool.ts';
import type { UserId } from '../../domain/chat.ts';
import type { ConversationId, TenantId } from '../../domain/ids.ts';
import { listMembers } from '../../store/participants-online.read.ts';

/** From which transaction up to which a user sees the events of a conversation; null: he is still there. */
interface Stay {
  joined: bigint;
  left: bigint | null;
}

/** Who is or was in a conversation. */
export type Members = ReadonlyMap<UserId, Stay>;

/**
 * Who may see the events of a tenant's conversations, kept in memory. Everything that changes it is itself in the log, so whoever
 * reads the log forgets a conversation when it is told of such a change; what is read then is at least as new as that.
 */
export interface Audiences {
  /** The members of these conversations: what is not known is asked for, all at once. */
  of(conversations: ReadonlySet<ConversationId>): Promise<ReadonlyMap<ConversationId, Members>>;
  forget(conversation: ConversationId): void;
}

/** Most members that are remembered for a tenant; the longest known conversations are forgotten first. */
const REMEMBERED = 100_000;
const NOBODY: Members = new Map();

export function createAudiences({ db, tenant }: { db: Queryable; tenant: TenantId }): Audiences {
  const known = new Map<ConversationId, Members>();
  let remembered = 0;
  let forgotten = 0;

  function remember(conversation: ConversationId, members: Members): void {
    remembered += members.size + 1 - weightOf(known.get(conversation));
    known.delete(conversation);
    known.set(conversation, members);
    for (const [oldest, others] of known) {
      if (remembered <= REMEMBERED || oldest === conversation) return;
      known.delete(oldest);
      remembered -= weightOf(others);
    }
  }

  return {
    async of(conversations) {
      const found = new Map<ConversationId, Members>();
      const missing: ConversationId[] = [];
      for (const id of conversations) {
        const members = known.get(id);
        if (members) found.set(id, members);
        else missing.push(id);
      }
      if (missing.length === 0) return found;
      const before = forgotten;
      const read = new Map<ConversationId, Map<UserId, Stay>>();
      for (const row of await listMembers(db, tenant, missing)) {
        const members = read.get(row.conversation_id) ?? new Map<UserId, Stay>();
        read.set(row.conversation_id, members);
        const left = row.left_xid === null ? null : BigInt(row.left_xid);
        members.set(row.user_id, { joined: BigInt(row.joined_xid), left });
      }
      for (const id of missing) {
        const members = read.get(id) ?? NOBODY;
        found.set(id, members);
        // What was read while something was forgotten may be what was changed.
        if (before === forgotten) remember(id, members);
      }
      return found;
    },
    forget(conversation) {
      forgotten++;
      const members = known.get(conversation);
      if (!members) return;
      known.delete(conversation);
      remembered -= weightOf(members);
    },
  };
}

function weightOf(members: Members | undefined): number {
  return members === undefined ? 0 : members.size + 1;
}

/** Whether a user sees what a transaction did there. */
export function sees(members: Members, user: UserId, xid: bigint): boolean {
  const stay = members.get(user);
  return stay !== undefined && stay.joined <= xid && (stay.left === null || xid <= stay.left);
}

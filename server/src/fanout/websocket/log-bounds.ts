import type { Queryable } from '../../db/pool.ts';
import type { TenantId } from '../../domain/ids.ts';
import { findLogBounds, type LogBounds } from '../../store/event-retention.read.ts';

/** From where to where tenants' logs can be read: those who ask while a question is under way share the next one. */
export interface SharedBounds {
  /** @param xid of the place that is asked about: `reached` is about it. Rejects when that cannot be read. */
  of(tenant: TenantId, xid: string): Promise<LogBounds>;
}

interface Question {
  /** The highest that is asked about: what lies below it was reached when it was. */
  xid: string;
  answer: Promise<LogBounds>;
}

export function createSharedBounds(db: Queryable): SharedBounds {
  const coming = new Map<TenantId, Question>();
  const under = new Map<TenantId, Promise<unknown>>();

  function ask(tenant: TenantId, xid: string): Question {
    const question: Question = { xid, answer: (under.get(tenant) ?? Promise.resolve()).then(put, put) };
    function put(): Promise<LogBounds> {
      coming.delete(tenant);
      const answer = findLogBounds(db, tenant, question.xid);
      under.set(tenant, answer);
      const done = () => {
        if (under.get(tenant) === answer) under.delete(tenant);
      };
      answer.then(done, done);
      return answer;
    }
    coming.set(tenant, question);
    return question;
  }

  return {
    async of(tenant, xid) {
      const question = coming.get(tenant) ?? ask(tenant, xid);
      if (BigInt(question.xid) < BigInt(xid)) question.xid = xid;
      const bounds = await question.answer;
      // Somebody else's place may be of another database.
      return bounds.reached || question.xid === xid ? bounds : findLogBounds(db, tenant, xid);
    },
  };
}

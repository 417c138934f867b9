import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { Notice } from '../signals/notice.ts';
import type { NoticeBoard } from '../signals/postgres-signals.ts';
import { findNoticesEnd, listNotices, type NoticeRow } from '../store/notices.read.ts';
import { insertNotice, pruneNotices } from '../store/notices.write.ts';

const MOST_TOGETHER = 200;
/** Before all notices of a transaction. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** The notices of the database, for signals between instances. */
export function createNoticeBoard(db: Db, instance: InstanceId): NoticeBoard {
  return {
    end: async () => ({ xid: await findNoticesEnd(db), id: NO_ID }),
    async read(place) {
      const { notices, others, horizon } = await listNotices(db, instance, place, MOST_TOGETHER);
      const last = notices.length === MOST_TOGETHER ? notices.at(-1) : undefined;
      // Nothing can appear below the horizon any more: the next reading begins there, and passes over what was own.
      const next = last ? { xid: last.xid, id: last.id } : { xid: horizon, id: NO_ID };
      return { notices: notices.map(noticeOf), next, others, more: last !== undefined };
    },
    write: (notice) => retryingOnConflict(() => insertNotice(db, notice)),
    async prune(before) {
      while ((await retryingOnConflict(() => pruneNotices(db, before, MOST_TOGETHER))) === MOST_TOGETHER) {
        // A step at a time.
      }
    },
  };
}

function noticeOf({ id, instance_id, topics, words }: NoticeRow): Notice {
  return {
    id,
    from: instance_id,
    topics: topics as Notice['topics'][number][],
    words: words as Notice['words'][number][],
  };
}

import { after, before, test } from 'node:test';
import { firstIdAt, type InstanceId, newId } from '../../src/domain/ids.ts';
import { findNoticesEnd, listNotices } from '../../src/store/notices.read.ts';
import { insertNotice, pruneNotices } from '../../src/store/notices.write.ts';
import { type TestDatabase, testDatabase } from '../database.ts';
import { assertCheap } from './cheap-plans.ts';

/* Each instance asks several times a second: what that costs goes by what is new, and not by what lies there until it is pruned. */

const NOTICES = 5000;
let database: TestDatabase;
before(async () => {
  database = await testDatabase();
  await database.db.script(`
    insert into notices (id, instance_id, topics) select gen_random_uuid(), gen_random_uuid(), '{media}'
    from generate_series(1, ${NOTICES});
    analyze notices`);
});
after(() => database.drop());

test('reading and writing notices looks at those that are new, and pruning at those that go', async () => {
  const { db } = database;
  const own = newId<InstanceId>();
  const end = { xid: await findNoticesEnd(db), id: '00000000-0000-0000-0000-000000000000' };
  for (let i = 0; i < 3; i++) {
    await insertNotice(db, { id: newId(), from: newId<InstanceId>(), topics: ['media'], words: [{ kind: 'typing' }] });
  }
  await assertCheap(db, 4, (tx) => findNoticesEnd(tx).catch(() => {}));
  await assertCheap(db, 4, (tx) => listNotices(tx, own, end, 200).catch(() => {}));
  await assertCheap(db, 200, (tx) => listNotices(tx, own, { ...end, xid: '0' }, 200).catch(() => {}));
  await assertCheap(db, 4, (tx) => insertNotice(tx, { id: newId(), from: own, topics: ['media'], words: [] }));
  await assertCheap(db, 60, (tx) => pruneNotices(tx, firstIdAt(Date.now()), 20));
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type BegunSend, beginSends, findDueSends, putOffSends } from '../../src/actions/begin-sends.ts';
import { handLanesOver, holdLanes } from '../../src/actions/hold-lanes.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import { type EventId, type InstanceId, newId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { postponeDoubtful } from '../../src/store/doubt.write.ts';
import {
  type EngineWorld,
  engineWorld,
  GRACE,
  LEASE,
  makeDue,
  type TenantWorld,
  takeAllLanes,
} from '../engine-world.ts';
import { assertSound } from '../soundness.ts';

/*
 * Every write of a lane's work, tried by an instance that has lost the lane: taken over by another, or given back. Nothing changes,
 * and the writer is told so.
 */

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});

after(() => world.close());

/** Everything that a stale write might change. */
function everything(own: TenantWorld): Promise<object[]> {
  return world.db.query(
    {
      name: 'test_everything',
      text: `select to_jsonb(m) as message, to_jsonb(d) as due,
        (select jsonb_agg(to_jsonb(a) order by a.attempt) from attempts a where a.tenant_id = m.tenant_id and a.message_id = m.id) as attempts,
        (select jsonb_agg(f) from failures f where f.tenant_id = m.tenant_id and f.message_id = m.id) as failures,
        (select count(*) from events e where e.tenant_id = m.tenant_id and e.message_id = m.id) as events
      from messages m left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
      where m.tenant_id = $1 order by m.id`,
    },
    [own.tenant],
  );
}

const ask = (own: TenantWorld) => [
  { lane: own.lane, sender: own.sender, limits: [10, 10, 10] as [number, number, number] },
];

const OUTCOMES: Outcome[] = [
  { kind: 'sent', wamid: 'wamid.late' },
  { kind: 'unknown', detail: 'cut' },
  { kind: 'not_sent', detail: 'refused' },
  { kind: 'refused', code: 400, title: 'no', detail: null },
  { kind: 'again', code: 500, title: 'later', detail: null, retryAfter: null },
  { kind: 'error', code: 131026, title: 'undeliverable', detail: null, retryAfter: null },
  { kind: 'error', code: 131016, title: 'later', detail: null, retryAfter: null },
  { kind: 'error', code: 132015, title: 'paused', detail: null, retryAfter: null },
  { kind: 'error', code: 131047, title: 'window closed', detail: null, retryAfter: null },
] as Outcome[];

for (const [how, lose] of [
  ['taken over by another', async () => void (await takeAllLanes(world.db, newId<InstanceId>()))],
  [
    'given back',
    async (own: TenantWorld) => {
      const [id = 0] = own.claim.lanes;
      const [epoch = 0] = own.claim.epochs;
      assert.equal(await handLanesOver(world.db, own.claim.instance, [{ id, epoch }]), 1);
    },
  ],
  [
    'given back and taken again, at another epoch',
    async (own: TenantWorld) => {
      const [id = 0] = own.claim.lanes;
      const [epoch = 0] = own.claim.epochs;
      await handLanesOver(world.db, own.claim.instance, [{ id, epoch }]);
      await holdLanes(world.db, own.claim.instance, { lease: LEASE, grace: GRACE, description: 'test' });
    },
  ],
] as const) {
  test(`a lane that was ${how}: no outcome settles, whatever it is`, async () => {
    const own = await world.tenant();
    const sends: { send: BegunSend; outcome: Outcome }[] = [];
    for (const outcome of OUTCOMES) sends.push({ send: await own.sending(), outcome });
    await lose(own);
    const before = await everything(own);
    for (const { send, outcome } of sends) {
      const settled = await own.settle(send, outcome);
      assert.equal(settled.changed, false, outcome.kind);
    }
    assert.deepEqual(await everything(own), before);
    await assertSound(world.db);
  });

  test(`a lane that was ${how}: nothing begins, nothing is put off, no doubt is decided`, async () => {
    const own = await world.tenant();
    const doubtful = await own.sending();
    await own.accept();
    const [due] = await findDueSends(world.db, ask(own));
    assert.ok(due, 'there is due work');
    await lose(own);
    await makeDue(world.db, doubtful.message_id);
    const before = await everything(own);
    assert.deepEqual(await beginSends(world.db, own.claim, [due], GRACE), []);
    await putOffSends(world.db, own.claim, [{ candidate: due, delay: 60_000, cause: 'order' }]);
    const key = { tenant: own.tenant, message: doubtful.message_id, attempt: doubtful.attempt };
    await postponeDoubtful(world.db, own.claim, [{ ...key, event: newId<EventId>(), delay: 1000, evident: false }]);
    const { resent, told } = await resolveDoubts(world.db, world.signals, own.claim);
    assert.deepEqual({ resent, told }, { resent: 0, told: 0 });
    assert.deepEqual(await everything(own), before);
    await assertSound(world.db);
  });
}

test('an instance that was taken over gives nothing back that is not its own', async () => {
  const own = await world.tenant();
  const [id = 0] = own.claim.lanes;
  const [epoch = 0] = own.claim.epochs;
  const other = newId<InstanceId>();
  await takeAllLanes(world.db, other);
  assert.equal(await handLanesOver(world.db, own.claim.instance, [{ id, epoch }]), 0);
  assert.equal(await handLanesOver(world.db, other, [{ id, epoch }]), 0, 'nor at an epoch that is over');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchId, type ConversationId, newId, type SenderId, type TenantId } from '../../src/domain/ids.ts';
import { createQuietHours, neverEnding, quietUntil } from '../../src/domain/schedule/quiet-hours.ts';
import type { Candidate } from '../../src/domain/schedule/schedule.ts';
import { minuteAt, zonesOf } from '../../src/domain/time-zones.ts';

const at = (time: string) => Date.parse(time);
const NIGHT = { from: '21:00', to: '08:00' };
const LUNCH = { from: '12:00', to: '13:30' };
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

test('in one zone, over midnight and within a day', () => {
  const jakarta = ['Asia/Jakarta'];
  for (const [span, now, until] of [
    [NIGHT, '2026-11-21T13:59:00Z', '2026-11-21T13:59:00Z'],
    [NIGHT, '2026-11-21T14:00:00Z', '2026-11-22T01:00:00Z'],
    [NIGHT, '2026-11-21T18:30:00Z', '2026-11-22T01:00:00Z'],
    [NIGHT, '2026-11-22T00:59:00Z', '2026-11-22T01:00:00Z'],
    [NIGHT, '2026-11-22T01:00:00Z', '2026-11-22T01:00:00Z'],
    [LUNCH, '2026-11-21T04:59:00Z', '2026-11-21T04:59:00Z'],
    [LUNCH, '2026-11-21T05:00:00Z', '2026-11-21T06:30:00Z'],
    [LUNCH, '2026-11-21T06:30:00Z', '2026-11-21T06:30:00Z'],
    [{ from: '00:00', to: '23:59' }, '2026-11-21T17:00:00Z', '2026-11-22T16:59:00Z'],
  ] as const) {
    assert.equal(quietUntil(span, jakarta, at(now)), at(until), `${span.from} ${now}`);
  }
});

test('the end of a night in which clocks change is by the clock', () => {
  const berlin = ['Europe/Berlin'];
  assert.equal(quietUntil(NIGHT, berlin, at('2027-03-27T22:00:00Z')), at('2027-03-28T06:00:00Z'));
  assert.equal(quietUntil(NIGHT, berlin, at('2026-10-24T21:00:00Z')), at('2026-10-25T07:00:00Z'));
  const late = { from: '23:00', to: '02:30' };
  assert.equal(quietUntil(late, berlin, at('2027-03-27T23:00:00Z')), at('2027-03-28T01:30:00Z'));
});

test('a country of several zones is quiet while any of them is', () => {
  const indonesia = zonesOf('ID');
  // 21:00 in Jayapura is 12:00 UTC, 08:00 in Jakarta is 01:00 UTC.
  assert.equal(quietUntil(NIGHT, indonesia, at('2026-11-21T11:59:00Z')), at('2026-11-21T11:59:00Z'));
  assert.equal(quietUntil(NIGHT, indonesia, at('2026-11-21T12:00:00Z')), at('2026-11-22T01:00:00Z'));
  const states = zonesOf('US');
  // 21:00 in New York is 02:00 UTC; 08:00 on Adak, the last, is 18:00 UTC.
  assert.equal(quietUntil(NIGHT, states, at('2026-11-22T01:59:00Z')), at('2026-11-22T01:59:00Z'));
  assert.equal(quietUntil(NIGHT, states, at('2026-11-22T02:00:00Z')), at('2026-11-22T18:00:00Z'));
});

test('for any place, time and span: what waits comes out when it is quiet nowhere, and nothing waits without need', () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  const isQuiet = (from: number, to: number, zone: string, time: number) => {
    const minute = minuteAt(zone, time);
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
  };
  for (let i = 0; i < 300; i++) {
    const zones = zonesOf(['ID', 'US', 'DE', 'BR', 'AU', 'NZ', 'RU', 'MX'][random(8)] as string);
    const from = random(1440);
    const to = (from + 1 + random(1439)) % 1440;
    const now = at('2026-01-01T00:00:00Z') + random(365 * 1440) * MINUTE;
    const until = quietUntil({ from: clock(from), to: clock(to) }, zones, now);
    const count = (time: number) => zones.filter((zone) => isQuiet(from, to, zone, time)).length;
    const told = `${clock(from)} to ${clock(to)} at ${new Date(now).toISOString()} in ${zones[0]}`;
    assert.ok(until >= now && until <= now + DAY + 60 * MINUTE, told);
    if (count(now) === 0) assert.equal(until, now, told);
    // Every quarter of an hour before it is quiet in more places.
    for (let time = now; time < until; time += 15 * MINUTE) assert.ok(count(time) > count(until), told);
    assert.equal(quietUntil({ from: clock(from), to: clock(to) }, zones, until), until, told);
  }
});

test('where it is always quiet somewhere, it is sent when it is quiet in the fewest zones', () => {
  const long = { from: '17:00', to: '10:00' };
  const russia = zonesOf('RU');
  const until = quietUntil(long, russia, at('2026-11-21T18:00:00Z'));
  assert.ok(until > at('2026-11-21T18:00:00Z') && until < at('2026-11-22T18:00:00Z'));
  assert.equal(quietUntil(long, russia, until), until, 'and it does not wait for ever');
});

const tenant = newId<TenantId>();
const candidate = (change: Partial<Candidate>): Candidate => ({
  tenant_id: tenant,
  sender_id: newId<SenderId>(),
  message_id: newId(),
  conversation_id: newId<ConversationId>(),
  lane_id: 1,
  category: 'marketing',
  address: '+6281234567890',
  priority: 1,
  batch_id: null as BatchId | null,
  waiting_since: new Date(),
  expires_at: null,
  ...change,
});

test('only categories and tenants with quiet hours wait, each by the clock of its recipient', () => {
  const quiet = createQuietHours();
  const wall = at('2026-11-21T15:00:00.250Z');
  assert.equal(quiet.hold(candidate({}), wall), null);
  quiet.replace(new Map([[tenant, { marketing: NIGHT }]]));
  const wait = at('2026-11-22T01:00:00Z') - wall;
  assert.deepEqual(quiet.hold(candidate({}), wall), { delay: wait, cause: 'quiet_hours' });
  assert.deepEqual(quiet.hold(candidate({ address: '+6281234567891' }), wall + 1000)?.delay, wait - 1000);
  assert.equal(quiet.hold(candidate({ category: 'authentication' }), wall), null);
  assert.equal(quiet.hold(candidate({ tenant_id: newId() }), wall), null);
  assert.equal(quiet.hold(candidate({ address: '+4915112345678' }), wall), null, '16:00 in Berlin');
  assert.equal(quiet.hold(candidate({ address: 'DE.abc' }), wall), null);
  assert.equal(quiet.hold(candidate({}), at('2026-11-22T01:00:00Z')), null);
  quiet.replace(new Map([[tenant, { marketing: LUNCH }]]));
  assert.equal(quiet.hold(candidate({}), wall), null, 'another span is another answer');
});

test('what a contact says of its zone goes before its number', () => {
  const quiet = createQuietHours();
  quiet.replace(new Map([[tenant, { marketing: NIGHT }]]));
  const wall = at('2026-11-21T15:00:00Z');
  const [abroad, silent] = [newId<ConversationId>(), newId<ConversationId>()];
  assert.equal(quiet.knows(abroad), false);
  quiet.learn([
    { conversation: abroad, zone: 'Europe/Berlin' },
    { conversation: silent, zone: null },
  ]);
  assert.equal(quiet.knows(abroad) && quiet.knows(silent), true);
  assert.equal(quiet.hold(candidate({ conversation_id: abroad }), wall), null);
  assert.equal(quiet.hold(candidate({ conversation_id: silent }), wall)?.cause, 'quiet_hours');
  quiet.forget();
  assert.equal(quiet.hold(candidate({ conversation_id: abroad }), wall)?.cause, 'quiet_hours');
  assert.deepEqual(
    [quiet.concerns(tenant, 'marketing'), quiet.concerns(tenant, 'service'), quiet.concerns(newId(), 'marketing')],
    [true, false, false],
  );
});

test('hours that end when they begin are told', () => {
  assert.equal(neverEnding({ marketing: NIGHT, service: LUNCH }), undefined);
  assert.equal(neverEnding({ marketing: NIGHT, service: { from: '08:00', to: '08:00' } }), 'service');
});

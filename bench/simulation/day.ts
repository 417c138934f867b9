import type { ConversationId, MessageId, SenderId, TenantId } from '../../server/src/domain/ids.ts';
import type { Category, Priority } from '../../server/src/domain/message.ts';
import { type Candidate, createSchedule, type ScheduledSender } from '../../server/src/domain/schedule/schedule.ts';
import { admit, type LaneLimit } from '../../server/src/domain/schedule/unique-users.ts';
import { type Random, seeded } from '../drills/random.ts';
import { createDueQueue, type DueQueue, type Kind, type Waiting } from './queue.ts';
import { createAgenda, createWaits, type RateWatcher, type Waits, watchPairs, watchRate } from './watchers.ts';

/*
 * A day of an installation, on a virtual clock, with the schedule that dispatch runs: 1,000 tenants with a number each, of which 100
 * send campaigns, two a day; chats on all of them, in which people get several messages at once; and codes that somebody waits for. Calls
 * take 60 to 160 ms; one in 500 has to be repeated, of one in 2,000 nobody hears. Only the calls and the store are played.
 */
export interface DayOptions {
  seed: number;
  /** Messages of the day, about. */
  messages: number;
  tenants: number;
  /** Of these, those with campaigns. */
  campaigners: number;
  log: (text: string) => void;
}

export const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Points of the plots. */
export const SLICE = 600_000;

export interface DayResult {
  messages: number;
  sent: number;
  waiting: number;
  /** Messages that their portfolio's limit of users holds back. */
  heldByLimit: number;
  /** Senders that had more in some second than their rate. */
  rateBreaches: number;
  pairBreaches: number;
  limitBreaches: number;
  orderBreaches: number;
  /** Of the allowed rate, what was used while a campaign waited: the least and the median of the campaigners. */
  used: { least: number; median: number };
  waits: Record<Kind, { count: number; p50: number; p99: number; max: number }>;
  slices: { at: number; sent: Record<Kind, number>; codeP99: number; chatP99: number }[];
  rounds: number;
  /** Seconds that the simulation took. */
  took: number;
}

/** A business number and what waits for it. */
interface Line {
  sender: ScheduledSender;
  queues: [DueQueue, DueQueue, DueQueue];
  watcher: RateWatcher;
  /** While its campaigns waited: for how long, and how many left. */
  backlogSince: number | null;
  backlogTime: number;
  backlogSent: number;
}

export function simulateDay({ seed, messages, tenants, campaigners, log }: DayOptions): DayResult {
  const began = performance.now();
  const random = seeded(seed);
  const numbers = makeNumbers(random, tenants, campaigners);
  const byId = new Map(numbers.map((one) => [one.sender.id, one]));
  const schedule = createSchedule({
    room: 2048,
    senderRoom: 512,
    tenantRoom: 512,
    validity: 2 * DAY,
    gate: () => Number.POSITIVE_INFINITY,
    gateOpens: () => Number.NEGATIVE_INFINITY,
    holds: [],
  });
  schedule.replace(
    numbers.map(({ sender }) => sender),
    0,
  );

  const limits = limitsOf(numbers, messages);
  const reached = new Map<number, Set<string>>();
  const users = new Map<number, number>();
  const agenda = createAgenda<() => void>();
  const pairs = watchPairs();
  const waits: Record<Kind, Waits> = { campaign: createWaits(), chat: createWaits(), code: createWaits() };
  const worst: Record<Kind, number> = { campaign: 0, chat: 0, code: 0 };
  const lastPlace = new Map<string, number>();
  const slices: DayResult['slices'] = [];
  let sliceWaits = { code: createWaits(), chat: createWaits() };
  let slice = newSlice(0);
  let now = 0;
  let place = 0;
  let accepted = 0;
  let sent = 0;
  let heldByLimit = 0;
  let orderBreaches = 0;
  let rounds = 0;

  function newSlice(at: number): DayResult['slices'][number] {
    return { at, sent: { campaign: 0, chat: 0, code: 0 }, codeP99: 0, chatP99: 0 };
  }

  function message(by: Line, kind: Kind, pair: string): Waiting {
    const priority: Priority = kind === 'code' ? 0 : kind === 'chat' ? 1 : 2;
    const category: Category = kind === 'code' ? 'authentication' : kind === 'chat' ? 'service' : 'marketing';
    const { tenant, id, lane } = by.sender;
    accepted++;
    return {
      tenant_id: tenant,
      sender_id: id,
      lane_id: lane,
      message_id: (++place).toString(36).padStart(8, '0') as MessageId,
      conversation_id: `${id} ${pair}` as ConversationId,
      priority,
      category,
      batch_id: kind === 'campaign' ? 'campaign' : null,
      address: pair,
      expires_at: null,
      waiting_since: new Date(now),
      due: now,
      place,
      kind,
    };
  }

  /** Chats and codes come at random; in a chat a few messages at once. */
  function comeAndCome(by: Line, kind: 'chat' | 'code', perDay: number, people: number): void {
    const next = (): void => {
      const wait = (-Math.log(1 - random.next()) * DAY) / perDay;
      agenda.add(now + wait, () => {
        const person = `p${random.integer(0, people)}`;
        const count = kind === 'code' ? 1 : random.pick([1, 1, 1, 2, 3, 6]);
        for (let i = 0; i < count; i++) {
          const one = message(by, kind, kind === 'code' ? `c${place}` : person);
          by.queues[one.priority].add(one);
        }
        schedule.wake(by.sender.lane);
        next();
      });
    };
    next();
  }

  const perCampaigner =
    (messages * 0.9) / numbers.reduce((sum, one, i) => sum + (i < campaigners ? one.sender.rate : 0), 0);
  for (const [i, one] of numbers.entries()) {
    comeAndCome(one, 'code', (messages * 0.02) / numbers.length, 1);
    comeAndCome(one, 'chat', (messages * 0.08) / 2.3 / numbers.length, 40);
    if (i >= campaigners) continue;
    for (const hour of [random.integer(0, 10), random.integer(11, 20)]) {
      agenda.add(hour * HOUR + random.integer(0, HOUR), () => {
        const left = Math.round((perCampaigner * one.sender.rate) / 2);
        one.queues[2].addCampaign({ left, make: () => message(one, 'campaign', `u${place}`) });
        one.backlogSince ??= now;
        schedule.wake(one.sender.lane);
      });
    }
  }

  function leave(by: Line, one: Waiting): void {
    sent++;
    const wait = now - one.waiting_since.getTime();
    waits[one.kind].add(wait);
    worst[one.kind] = Math.max(worst[one.kind], wait);
    slice.sent[one.kind]++;
    if (one.kind !== 'campaign') sliceWaits[one.kind].add(wait);
    by.watcher.left(now);
    if (by.backlogSince !== null) by.backlogSent++;
    // Campaigns and codes go to everybody once.
    if (one.kind === 'chat') {
      pairs.left(one.conversation_id, now);
      const before = lastPlace.get(one.conversation_id) ?? 0;
      // One that was repeated left for the first time in its place.
      if (one.place < before && one.due === one.waiting_since.getTime()) orderBreaches++;
      lastPlace.set(one.conversation_id, Math.max(before, one.place));
    }
  }

  function end(by: Line, one: Waiting, fate: number): void {
    schedule.answered(one);
    const isRepeated = fate >= 0.0005 && fate < 0.0025;
    if (!isRepeated) {
      schedule.ended(one, null, now);
      return;
    }
    const delay = 500 + random.next() * 1000;
    schedule.ended(one, delay, now);
    by.queues[one.priority].addLater(one, now + delay);
    agenda.add(now + delay, () => schedule.wake(one.lane_id));
  }

  function putOffUntil(one: Waiting, until: number): void {
    queueOf(one).putOff(one, until);
    agenda.add(until, () => schedule.wake(one.lane_id));
  }

  /** The users of a portfolio: who would be one too many waits for another day. */
  function within(go: readonly Waiting[]): Set<Candidate> {
    if (limits.size === 0) return new Set();
    const asking = go
      .filter((one) => one.kind !== 'chat' && limits.has(one.lane_id))
      .map((one) => ({
        one,
        lane: one.lane_id,
        address: one.address,
        category: one.category,
        known: reached.get(one.lane_id)?.has(one.address) ?? false,
      }));
    const { go: fitting, over } = admit(asking, users, limits);
    for (const { lane, address } of fitting) {
      const all = reached.get(lane) ?? new Set();
      reached.set(lane, all.add(address));
    }
    return new Set(over.map(({ one }) => one));
  }

  function round(): boolean {
    const asks = schedule.ask(now);
    if (asks.length === 0) return false;
    rounds++;
    const found = asks.flatMap(({ sender, limits: most }) => {
      const { queues } = byId.get(sender) as Line;
      return [...queues[0].read(most[0], now), ...queues[1].read(most[1], now), ...queues[2].read(most[2], now)];
    });
    const { go, putOff } = schedule.select(asks, found, now, now);
    for (const { candidate, delay } of putOff) putOffUntil(candidate, now + delay);
    const over = within(go);
    for (const one of go) {
      const by = byId.get(one.sender_id) as Line;
      if (over.has(one)) {
        schedule.dropped(one, now);
        by.queues[one.priority].take(one);
        heldByLimit++;
        continue;
      }
      by.queues[one.priority].take(one);
      leave(by, one);
      const fate = random.next();
      agenda.add(now + 60 + random.next() * 100, () => end(by, one, fate));
    }
    for (const { sender } of asks) endBacklog(byId.get(sender) as Line);
    return true;
  }

  function endBacklog(by: Line): void {
    // What is left at the end waits for repeats, and not for the rate.
    if (by.backlogSince === null || by.queues[2].size >= by.sender.rate) return;
    by.backlogTime += now - by.backlogSince;
    by.backlogSince = null;
  }

  const queueOf = (one: Waiting): DueQueue => (byId.get(one.sender_id) as Line).queues[one.priority];

  while (now < DAY) {
    while (agenda.next <= now) agenda.take()();
    let again = true;
    while (again) again = round();
    now = Math.min(Math.max(now + 1, Math.min(agenda.next, now + schedule.next(now))), DAY);
    if (now >= slice.at + SLICE) {
      slice.codeP99 = sliceWaits.code.quantile(0.99);
      slice.chatP99 = sliceWaits.chat.quantile(0.99);
      slices.push(slice);
      slice = newSlice(slice.at + SLICE);
      sliceWaits = { code: createWaits(), chat: createWaits() };
      if (slice.at % HOUR === 0) log(`${slice.at / HOUR} h: ${sent} sent, ${rounds} rounds`);
    }
  }

  const used = numbers
    .filter((one) => one.backlogTime > 10_000 && !limits.has(one.sender.lane))
    .map((one) => (one.backlogSent * 1000) / one.backlogTime / one.sender.rate)
    .sort((a, b) => a - b);
  const told = (kind: Kind) => ({
    count: waits[kind].count,
    p50: waits[kind].quantile(0.5),
    p99: waits[kind].quantile(0.99),
    max: Math.round(worst[kind]),
  });
  return {
    messages: accepted,
    sent,
    waiting: numbers.reduce((sum, one) => sum + one.queues.reduce((all, queue) => all + queue.size, 0), 0),
    heldByLimit,
    rateBreaches: numbers.filter(({ watcher, sender }) => watcher.most > sender.rate).length,
    pairBreaches: pairs.breaches,
    limitBreaches: [...limits].filter(([lane, { most }]) => (reached.get(lane)?.size ?? 0) > most).length,
    orderBreaches,
    used: { least: used[0] ?? 0, median: used[Math.floor(used.length / 2)] ?? 0 },
    waits: { campaign: told('campaign'), chat: told('chat'), code: told('code') },
    slices,
    rounds,
    took: (performance.now() - began) / 1000,
  };
}

/** Of the campaigners seven in ten have the usual throughput, two that of coexistence, one the high one. */
function makeNumbers(random: Random, tenants: number, campaigners: number): Line[] {
  return Array.from({ length: tenants }, (_, i) => {
    const rate = i >= campaigners ? 80 : i % 10 === 0 ? 1000 : i % 10 < 3 ? 20 : 80;
    return {
      sender: {
        id: `s${i}` as SenderId,
        tenant: `t${i}` as TenantId,
        // Some portfolios have several numbers.
        lane: Math.floor(i / random.pick([1, 1, 2])),
        channel: 'whatsapp',
        rate,
        inbound: 0,
        active: true,
        pace: '',
      },
      queues: [createDueQueue(), createDueQueue(), createDueQueue()],
      watcher: watchRate(),
      backlogSince: null,
      backlogTime: 0,
      backlogSent: 0,
    };
  });
}

/** Two portfolios of campaigners may reach fewer users than their campaigns have. */
function limitsOf(numbers: readonly Line[], messages: number): Map<number, LaneLimit> {
  const most = Math.round(messages / 1000);
  return new Map([3, 7].map((i) => [numbers[i]?.sender.lane ?? 0, { most, reserved: Math.round(most / 10) }]));
}

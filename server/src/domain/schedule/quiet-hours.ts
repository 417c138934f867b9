import type { ConversationId, TenantId } from '../ids.ts';
import { CATEGORIES, type Category } from '../message.ts';
import { minuteAt, nextMinute, type Place, placeOf } from '../time-zones.ts';
import type { Hold } from './schedule.ts';

/**
 * Quiet hours: messages of a category do not leave while it is night where the recipient is. Where that is, his contact says, else
 * the country of his number. A country of several zones is quiet while it is quiet in any of them, so that nobody is woken.
 */
export interface QuietSpan {
  /** HH:MM by the recipient's clock. A span that ends before it begins goes over midnight. */
  from: string;
  /** The first minute that is quiet no more. Never the same as `from`. */
  to: string;
}

/** By category; those absent are never quiet. */
export type QuietHours = Readonly<Partial<Record<Category, QuietSpan>>>;

/** The first category whose quiet hours end when they begin. */
export function neverEnding(hours: QuietHours): Category | undefined {
  return CATEGORIES.find((category) => hours[category] !== undefined && hours[category].from === hours[category].to);
}

/**
 * When a message may leave, in milliseconds since 1970: `at`, or the end of the quiet time. Where some zone of a place is quiet at
 * any time of the day, it is the next time at which the fewest are.
 */
export function quietUntil({ from, to }: QuietSpan, zones: readonly string[], at: number): number {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const isQuiet = (zone: string, time: number) => {
    const minute = minuteAt(zone, time);
    return begin < end ? begin <= minute && minute < end : begin <= minute || minute < end;
  };
  const quietAt = (time: number) => zones.reduce((count, zone) => count + (isQuiet(zone, time) ? 1 : 0), 0);
  let best = at;
  let fewest = quietAt(at);
  if (fewest === 0) return at;
  // What is quiet in fewer zones than before begins where it ends in one of them.
  for (const time of [...new Set(zones.map((zone) => nextMinute(zone, end, at)))].sort((one, other) => one - other)) {
    const count = quietAt(time);
    if (count >= fewest) continue;
    [best, fewest] = [time, count];
    if (count === 0) break;
  }
  return best;
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/** The quiet hours of the tenants whose messages leave here. */
export interface QuietKeeper {
  /** Takes over what the database says now. Tenants without quiet hours are not among them. */
  replace(tenants: ReadonlyMap<TenantId, QuietHours>): void;
  /** Whether a message of this tenant and category may have to wait. */
  concerns(tenant: TenantId, category: Category): boolean;
  /** What contacts say of their time zones, each the name of one; null: nothing, and the number tells. */
  learn(contacts: readonly { conversation: ConversationId; zone: string | null }[]): void;
  /** Whether that is known. */
  knows(conversation: ConversationId): boolean;
  /** Forgets what contacts said: they may say something else by now. */
  forget(): void;
  hold: Hold;
}

/** Contacts whose zones are remembered, and answers that hold for a minute. */
const MOST_CONTACTS = 50_000;
const MOST_ANSWERS = 10_000;
const MINUTE = 60_000;

export function createQuietHours(): QuietKeeper {
  let tenants: ReadonlyMap<TenantId, QuietHours> = new Map();
  const told = new Map<ConversationId, string | null>();
  const answers = new Map<string, number>();
  let minute = Number.NaN;

  /** Spans begin and end with a minute, so one answer holds for all of it. */
  function answerFor(span: QuietSpan, place: Place, wall: number): number {
    const current = Math.floor(wall / MINUTE);
    if (current !== minute || answers.size >= MOST_ANSWERS) answers.clear();
    minute = current;
    const key = `${span.from}${span.to}${place.key}`;
    let until = answers.get(key);
    if (until === undefined) {
      const from = current * MINUTE;
      until = quietUntil(span, place.zones, from);
      answers.set(key, until);
    }
    return until;
  }

  return {
    replace(next) {
      tenants = next;
    },
    concerns: (tenant, category) => tenants.get(tenant)?.[category] !== undefined,
    learn(contacts) {
      if (told.size + contacts.length > MOST_CONTACTS) told.clear();
      for (const { conversation, zone } of contacts) told.set(conversation, zone);
    },
    knows: (conversation) => told.has(conversation),
    forget: () => told.clear(),
    hold({ tenant_id, conversation_id, category, address }, wall) {
      if (tenants.size === 0) return null;
      const span = tenants.get(tenant_id)?.[category];
      if (span === undefined) return null;
      const zone = told.get(conversation_id) ?? null;
      const until = answerFor(span, zone === null ? placeOf(address) : { key: `=${zone}`, zones: [zone] }, wall);
      return until <= wall ? null : { delay: until - wall, cause: 'quiet_hours' };
    },
  };
}

import type { Candidate } from '../../server/src/domain/schedule/schedule.ts';

/** Due messages of one sender and priority, as the store would give them: by due time, then by acceptance. */
export interface DueQueue {
  add(message: Waiting): void;
  /** A campaign, whose messages are made as they are read. */
  addCampaign(campaign: Campaign): void;
  /** The first of what is due, up to so many. They stay until they are taken or put off. */
  read(most: number, now: number): Waiting[];
  take(message: Waiting): void;
  putOff(message: Waiting, until: number): void;
  /** One that was taken comes back. */
  addLater(message: Waiting, until: number): void;
  readonly size: number;
}

export interface Waiting extends Candidate {
  due: number;
  /** The order of acceptance. */
  place: number;
  kind: Kind;
}

export type Kind = 'campaign' | 'chat' | 'code';

export interface Campaign {
  left: number;
  make(): Waiting;
}

export function createDueQueue(): DueQueue {
  let fresh: Waiting[] = [];
  let head = 0;
  const campaigns: Campaign[] = [];
  const later: Waiting[] = [];
  const gone = new Set<Waiting>();
  let size = 0;

  function forgetTaken(): void {
    while (head < fresh.length && gone.delete(fresh[head] as Waiting)) head++;
    if (head > 10_000) {
      fresh = fresh.slice(head);
      head = 0;
    }
  }

  function insert(message: Waiting, until: number): void {
    message.due = until;
    let place = later.length;
    while (place > 0 && isAfter(later[place - 1] as Waiting, message)) place--;
    later.splice(place, 0, message);
  }

  return {
    add(message) {
      fresh.push(message);
      size++;
    },
    addCampaign(campaign) {
      campaigns.push(campaign);
      size += campaign.left;
    },
    read(most, now) {
      forgetTaken();
      const found: Waiting[] = [];
      // What was put off came first, when its time has come.
      for (const one of later) {
        if (found.length === most || one.due > now) break;
        found.push(one);
      }
      for (let i = head; found.length < most; i++) {
        while (i >= fresh.length && campaigns.length > 0) {
          const campaign = campaigns[0] as Campaign;
          for (let n = Math.min(campaign.left, 64); n > 0; n--) {
            fresh.push(campaign.make());
            campaign.left--;
          }
          if (campaign.left === 0) campaigns.shift();
        }
        const one = fresh[i];
        if (!one) break;
        if (!gone.has(one)) found.push(one);
      }
      return found;
    },
    take(message) {
      size--;
      const place = later.indexOf(message);
      if (place >= 0) later.splice(place, 1);
      else gone.add(message);
    },
    putOff(message, until) {
      const before = later.indexOf(message);
      if (before >= 0) later.splice(before, 1);
      else gone.add(message);
      insert(message, until);
    },
    addLater(message, until) {
      size++;
      insert(message, until);
    },
    get size() {
      return size;
    },
  };
}

function isAfter(one: Waiting, other: Waiting): boolean {
  return one.due > other.due || (one.due === other.due && one.place > other.place);
}

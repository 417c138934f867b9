import type { SenderId } from '../ids.ts';

/** A sender that has work, and how many messages its own limits let leave now. */
export interface Ready {
  sender: SenderId;
  lane: number;
  allowed: number;
}

export interface Share {
  sender: SenderId;
  lane: number;
  room: number;
}

/**
 * Shares the room for calls evenly and in turn: among lanes, so that a portfolio of fifty numbers has no more than one of
 * a single number, and in each lane among its senders. Each sender gets at most what its own limits allow, what one leaves the next may
 * have, and `turn` moves on with each round, so that nobody is always last. With `room` at least one, a sender waits at most
 * as many rounds as there are lanes, times the senders of its own, for its turn.
 */
export function shareRoom(ready: readonly Ready[], room: number, turn: number): Share[] {
  const lanes = byLane(ready);
  const shares: Share[] = [];
  const sums = lanes.map((senders) => senders.reduce((sum, { allowed }) => sum + Math.max(allowed, 0), 0));
  const rooms = shareEvenly(sums, room, turn);
  // Within a lane the turn moves on only when the lane has had its own.
  const inner = Math.floor(turn / Math.max(lanes.length, 1));
  for (const [place, had] of rooms) {
    const senders = lanes[place] as Ready[];
    for (const [i, count] of shareEvenly(
      senders.map(({ allowed }) => allowed),
      had,
      senders.length === 1 ? 0 : inner,
    )) {
      const { sender, lane } = senders[i] as Ready;
      shares.push({ sender, lane, room: count });
    }
  }
  return shares;
}

function byLane(ready: readonly Ready[]): Ready[][] {
  const lanes = new Map<number, Ready[]>();
  for (const one of ready) {
    const senders = lanes.get(one.lane);
    if (senders) senders.push(one);
    else lanes.set(one.lane, [one]);
  }
  return [...lanes.values()];
}

/** Shares room among so many that may have at most `allowed` each; beginning with another one each turn. Only those that get some. */
function shareEvenly(allowed: readonly number[], room: number, turn: number): [place: number, room: number][] {
  const shares: [number, number][] = [];
  const count = allowed.length;
  let left = room;
  for (let i = 0; i < count && left > 0; i++) {
    const place = (turn + i) % count;
    const even = Math.ceil(left / (count - i));
    const share = Math.min(allowed[place] as number, even, left);
    if (share <= 0) continue;
    shares.push([place, share]);
    left -= share;
  }
  return shares;
}

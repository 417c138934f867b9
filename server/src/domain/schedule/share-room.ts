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
 * Shares the room for calls among senders, evenly and in turn: each gets at most what its own limits allow, what one leaves
 * the next may have, and `turn` moves on with each round, so that nobody is always last. With `room` at least one and n
 * senders ready, a sender waits at most n rounds for its turn.
 */
export function shareRoom(ready: readonly Ready[], room: number, turn: number): Share[] {
  const shares: Share[] = [];
  let left = room;
  const count = ready.length;
  for (let i = 0; i < count && left > 0; i++) {
    const { sender, lane, allowed } = ready[(turn + i) % count] as Ready;
    const even = Math.ceil(left / (count - i));
    const share = Math.min(allowed, even, left);
    if (share <= 0) continue;
    shares.push({ sender, lane, room: share });
    left -= share;
  }
  return shares;
}

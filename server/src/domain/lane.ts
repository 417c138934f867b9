import type { InstanceId } from './ids.ts';

/** A lane that an instance owns, by the epoch of its takeover. */
export interface OwnedLane {
  id: number;
  epoch: number;
}

/** The lanes an instance works in, by the epochs of its takeovers: what each write of a lane's work is checked against. */
export interface LaneClaim {
  instance: InstanceId;
  lanes: readonly number[];
  epochs: readonly number[];
}

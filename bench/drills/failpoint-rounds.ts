/**
 * How each failpoint is reached. Listed here and not taken from the server: what a drill visits is the drill's to say,
 * and a test holds the two lists equal.
 */
export interface FailpointRound {
  name: string;
  /** The kill comes at a passage from the first to this one. */
  latest: number;
  /** Kills that must come before, for this place is only passed in their aftermath. */
  after?: readonly string[];
  withinMs?: number;
  /** What this round's start is set to. */
  env?: Record<string, string>;
}

/** Every message is counted, and none waits for it. */
const PACED = { ALDIS_LIMITS_PER_MINUTE: '100000' };

export const FAILPOINT_ROUNDS: readonly FailpointRound[] = [
  { name: 'accept.before_commit', latest: 5 },
  { name: 'accept.after_commit', latest: 5 },
  { name: 'batch.after_chunk', latest: 1 },
  { name: 'begin.before_commit', latest: 5 },
  { name: 'begin.after_commit', latest: 5 },
  { name: 'counted.before_commit', latest: 5, env: PACED },
  { name: 'counted.after_commit', latest: 5, env: PACED },
  { name: 'put_off.before_commit', latest: 1 },
  { name: 'put_off.after_commit', latest: 1 },
  { name: 'call.before_write', latest: 20 },
  { name: 'call.after_write', latest: 20 },
  { name: 'call.after_answer', latest: 20 },
  { name: 'settle.before_commit', latest: 5 },
  { name: 'settle.after_commit', latest: 5 },
  { name: 'webhook.before_commit', latest: 5 },
  { name: 'webhook.after_commit', latest: 5 },
  { name: 'apply.before_commit', latest: 5 },
  { name: 'apply.after_commit', latest: 5 },
  { name: 'receive.before_commit', latest: 3 },
  { name: 'receive.after_commit', latest: 3 },
  { name: 'webhook_out.after_claim', latest: 3 },
  { name: 'webhook_out.after_call', latest: 5 },
  { name: 'webhook_out.before_commit', latest: 3 },
  { name: 'renew.before', latest: 2 },
  { name: 'takeover.after', latest: 1 },
  { name: 'handover.before_commit', latest: 1 },
  { name: 'handover.after_commit', latest: 1 },
  { name: 'pause.before_commit', latest: 1 },
  { name: 'pause.after_commit', latest: 1 },
  // A message whose attempt had begun and never left is in doubt until its grace is over; then the two follow each other.
  { name: 'doubt.before_commit', after: ['call.before_write'], latest: 1, withinMs: 90_000 },
  { name: 'doubt.after_commit', latest: 1, withinMs: 90_000 },
];

/** Passed when the database's clock is set, which the drill `clock` does. */
export const CLOCK_FAILPOINTS = ['clock.before_commit', 'clock.after_commit'] as const;

/** Passed where brokers are named: the tests of Kafka kill there. */
export const KAFKA_FAILPOINTS = [
  'kafka.before_publish',
  'kafka.after_publish',
  'kafka.before_commit',
  'kafka.after_commit',
] as const;

/** What people say to each other, change and read. */
export const CHAT_ROUNDS: readonly FailpointRound[] = [
  { name: 'say.before_commit', latest: 5 },
  { name: 'say.after_commit', latest: 5 },
  { name: 'chat.before_commit', latest: 5 },
  { name: 'chat.after_commit', latest: 5 },
  { name: 'mark.before_commit', latest: 5 },
  { name: 'mark.after_commit', latest: 5 },
];

/** What a drill is told. */
export interface DrillOptions {
  seed: number;
  /** The form for CI: the same things, fewer times. */
  short: boolean;
  /** For how long trouble is made, where a drill can be told. Absent: as its form says. */
  seconds?: number;
  /** Leaves Kafka out, where a drill has one. */
  withoutKafka?: boolean;
  log(text: string): void;
}

/** What a drill found: printed as JSON. */
export interface Verdict {
  drill: string;
  seed: number;
  short: boolean;
  /** Figures by name. */
  counts: Record<string, number>;
  /** Each breach of what is promised, in words; none: the drill passed. */
  breaches: string[];
}

/**
 * How long something may take in a form of a drill, in milliseconds. What is promised is judged in the long form, alone on a machine. The
 * short ones run two at a time beside each other's servers on two cores, and of their few values the 95th percentile is nearly the
 * worst: they get three times as long, so that they fail for a fault and not for a neighbour.
 */
export function allowed(milliseconds: number, { short }: Pick<DrillOptions, 'short'>): number {
  return short ? 3 * milliseconds : milliseconds;
}

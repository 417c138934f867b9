/** What a drill is told. */
export interface DrillOptions {
  seed: number;
  /** The form for CI: the same things, fewer times. */
  short: boolean;
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

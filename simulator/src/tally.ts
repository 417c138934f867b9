import type { Plan } from './faults/plan.ts';

/** Counts of what callers did and met, since the start or the last reset. */
export class Tally {
  refused = 0;
  read_marks = 0;
  inbound = 0;
  /** Planned faults by kind. */
  faults: Record<string, number> = {};

  plan(plan: Plan): void {
    if (plan.treatment) this.#count(plan.treatment.kind);
    for (const fault of plan.webhooks) this.#count(fault.kind);
  }

  /** A limit's refusal, by Meta's code. */
  limit(code: number): void {
    this.#count(`limit_${code}`);
  }

  clear(): void {
    this.refused = 0;
    this.read_marks = 0;
    this.inbound = 0;
    this.faults = {};
  }

  #count(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }
}

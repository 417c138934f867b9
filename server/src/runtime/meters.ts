import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';

/**
 * The three kinds of meter, over the library's. Each keeps at most `MOST_SERIES` combinations of label values: what comes
 * after is counted under `other`, so that no stream of new codes or senders fills the memory.
 */
export type Labels<L extends string> = Readonly<Record<L, string>>;

/** Nothing for a meter without labels, else a value for each. */
type With<L extends string> = [L] extends [never] ? [] : [labels: Labels<L>];

/** Only goes up. */
export interface Counter<L extends string = never> {
  /** Adds `n`: once for a whole batch, not once a message. */
  add(n: number, ...labels: With<L>): void;
}

/** Goes up and down. */
export interface Gauge<L extends string = never> {
  set(value: number, ...labels: With<L>): void;
  /** All its series at once: those not named are gone. */
  replace(series: Iterable<{ value: number; labels: Labels<L> }>): void;
}

/** How often a value was at most so much. */
export interface Histogram<L extends string = never> {
  /** In seconds. */
  observe(value: number, ...labels: With<L>): void;
}

/** A meter as the reference page shows it. */
export interface MeterDescription {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
}

export const MOST_SERIES = 500;

/** Seconds, from what a commit takes to what a night takes. */
const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43_200,
];

/** A registry and what makes meters in it: each by its name, its help and the names of its labels. */
export function createMeters() {
  const registry = new Registry();
  const described: MeterDescription[] = [];

  function counter<L extends string = never>(name: string, help: string, ...labels: L[]): Counter<L> {
    described.push({ name, type: 'counter', help, labels });
    const meter = new PromCounter<string>({ name, help, labelNames: labels, registers: [registry] });
    const series = limited(labels, (values) => meter.labels(values));
    return { add: (n, ...values) => series.of(values).inc(n) };
  }

  function gauge<L extends string = never>(name: string, help: string, ...labels: L[]): Gauge<L> {
    described.push({ name, type: 'gauge', help, labels });
    const meter = new PromGauge<string>({ name, help, labelNames: labels, registers: [registry] });
    const series = limited(labels, (values) => meter.labels(values));
    return {
      set: (value, ...values) => series.of(values).set(value),
      replace(all) {
        meter.reset();
        series.forget();
        for (const one of all) series.of([one.labels]).set(one.value);
      },
    };
  }

  function histogram<L extends string = never>(name: string, help: string, ...labels: L[]): Histogram<L> {
    described.push({ name, type: 'histogram', help, labels });
    const meter = new PromHistogram<string>({
      name,
      help,
      labelNames: labels,
      buckets: SECONDS,
      registers: [registry],
    });
    const series = limited(labels, (values) => meter.labels(values));
    return { observe: (value, ...values) => series.of(values).observe(value) };
  }

  return { registry, described, counter, gauge, histogram };
}

/** The series of a meter by their label values, made when first used: never more than `MOST_SERIES`, and `other`. */
function limited<S>(labels: readonly string[], make: (values: Record<string, string>) => S) {
  const known = new Map<string, S>();
  let other: S | undefined;
  const [first = '', second] = labels;
  // Looked up for every message several times: no array is made for none or one.
  function keyOf(values: Labels<string> | undefined): string {
    if (second === undefined) return String(values?.[first] ?? '');
    return labels.map((label) => values?.[label]).join('\0');
  }
  return {
    of([values]: readonly [] | readonly [Labels<string>]): S {
      const key = keyOf(values);
      let series = known.get(key);
      if (series !== undefined) return series;
      if (known.size >= MOST_SERIES) {
        other ??= make(Object.fromEntries(labels.map((label) => [label, 'other'])));
        return other;
      }
      series = make({ ...values });
      known.set(key, series);
      return series;
    },
    forget() {
      known.clear();
      other = undefined;
    },
  };
}

import { Presets, SingleBar } from 'cli-progress';
import type { Output } from '../output.ts';

/** Shows how far something is: a bar in a terminal, else a line now and then. */
export interface Progress {
  /** @param text what else there is to say, such as counts */
  update(value: number, text: string): void;
  /** Leaves the last state standing. May be called twice. */
  stop(): void;
}

/** Milliseconds between two lines, where there is no terminal. */
const LINE_INTERVAL = 5_000;

/** @param title what is done, as in "importing" @param unit what is counted, as in "lines" */
export function createProgress(title: string, unit: string, total: number, output: Output): Progress {
  return output.interactive ? bar(title, total) : lines(title, unit, total, output);
}

function bar(title: string, total: number): Progress {
  const shown = new SingleBar(
    {
      format: `${title} {bar} {percentage}% {eta_formatted} | {value}/{total} | {text}`,
      stream: process.stderr,
      barsize: 12,
      etaBuffer: 50,
      linewrap: true,
      hideCursor: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  shown.start(total, 0, { text: '' });
  return {
    update: (value, text) => shown.update(Math.min(value, total), { text }),
    stop: () => shown.stop(),
  };
}

function lines(title: string, unit: string, total: number, output: Output): Progress {
  let said = performance.now();
  let latest = '';
  let pending = false;
  const say = () => {
    output.note(latest);
    said = performance.now();
    pending = false;
  };
  return {
    update(value, text) {
      latest = `${title}: ${Math.min(value, total)}/${total} ${unit}, ${text}`;
      pending = true;
      if (performance.now() - said >= LINE_INTERVAL) say();
    },
    stop() {
      if (pending) say();
    },
  };
}

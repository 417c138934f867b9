import { median } from './figures.ts';
import { plot } from './plot.ts';
import type { GrowthPoint } from './scenarios/claiming.ts';
import type { Sample } from './scenarios/million.ts';

/** Speed by the size of the store. */
export function plotGrowth(points: readonly GrowthPoint[], waiting: number): string {
  const of = (side: 'full' | 'empty') =>
    points.map((point) => [point.stored / 1e6, Math.round(median(point[side].map(({ value }) => value)))]);
  return plot(
    `Sending from a store that grows, ${waiting.toLocaleString('en')} messages waiting`,
    { name: 'millions of messages stored', min: 0 },
    { name: 'messages/s', min: 0 },
    [
      { name: 'on this store', data: of('full'), points: true },
      { name: 'on an empty one, in turns', data: of('empty'), points: true },
    ],
  );
}

/** Memory by messages that were read. */
export function plotMillion(samples: readonly Sample[]): string {
  const of = (side: 'server' | 'database') => samples.map((sample) => [sample.read / 1000, Math.round(sample[side])]);
  return plot(
    'Memory while messages run to their end',
    { name: 'thousands of messages read' },
    { name: 'MB (PSS)', min: 0 },
    [
      { name: 'server', data: of('server') },
      { name: 'database', data: of('database') },
    ],
  );
}

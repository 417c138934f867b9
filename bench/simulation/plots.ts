import { type PlotSeries, plot } from '../src/plot.ts';
import { type DayResult, HOUR, SLICE } from './day.ts';

/** What left of each kind, in messages a second. */
export function plotThroughput({ slices }: DayResult): string {
  const perSecond = (kind: 'campaign' | 'chat' | 'code') =>
    slices.map(({ at, sent }) => [at / HOUR, sent[kind] / (SLICE / 1000)]);
  return plotDay('A day on the virtual clock: messages a second', 'messages/s', [
    { name: 'campaigns (low)', data: perSecond('campaign') },
    { name: 'chats (normal)', data: perSecond('chat') },
    { name: 'codes (high)', data: perSecond('code') },
  ]);
}

/** How long codes and chats waited while campaigns ran beside them. */
export function plotWaits({ slices }: DayResult): string {
  return plotDay('From due to gone, 99 % of each ten minutes', 'milliseconds', [
    { name: 'codes (high)', data: slices.map(({ at, codeP99 }) => [at / HOUR, codeP99]) },
    { name: 'chats (normal)', data: slices.map(({ at, chatP99 }) => [at / HOUR, chatP99]) },
  ]);
}

function plotDay(title: string, unit: string, series: readonly PlotSeries[]): string {
  return plot(title, { name: 'hour', min: 0, max: 24, interval: 2 }, { name: unit }, series);
}

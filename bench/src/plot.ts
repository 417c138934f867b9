import { init } from 'echarts';

export interface PlotSeries {
  name: string;
  data: number[][];
  /** Shows each point, where they are few. */
  points?: boolean;
}

export interface PlotAxis {
  name: string;
  min?: number;
  max?: number;
  interval?: number;
}

const SIZE = { width: 960, height: 420 };

/** Draws lines. @returns an SVG */
export function plot(title: string, x: PlotAxis, y: PlotAxis, series: readonly PlotSeries[]): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center' },
    legend: { bottom: 0 },
    grid: { left: 70, right: 30, top: 60, bottom: 70 },
    xAxis: { type: 'value', nameLocation: 'middle', nameGap: 25, ...x },
    yAxis: { type: 'value', ...y },
    series: series.map(({ points = false, ...one }) => ({ ...one, type: 'line', showSymbol: points })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

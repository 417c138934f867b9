import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile, round, slope } from '../src/figures.ts';
import { readCount } from '../src/product.ts';
import { table } from '../src/report.ts';

test('a median is the middle, or half way between the two', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(quantile([0, 10], 0.95), 9.5);
});

test('a slope is found through noise that cancels out', () => {
  const points = [0, 1, 2, 3].map((x) => [x, 5 + 2 * x + (x === 0 || x === 3 ? 1 : -1)] as const);
  assert.equal(slope(points), 2);
});

test('figures keep three digits, or all before the point', () => {
  assert.equal(round(12_345.6), 12_346);
  assert.equal(round(1.23456), 1.23);
});

test('a metric is summed over its series, or over those with a label', () => {
  const text = [
    '# TYPE taken counter',
    'taken{status="read"} 3',
    'taken{status="sent"} 4',
    'taken_more 9',
    'plain 1.5e3',
  ].join('\n');
  assert.equal(readCount(text, 'taken'), 7);
  assert.equal(readCount(text, 'taken', 'status="read"'), 3);
  assert.equal(readCount(text, 'plain'), 1500);
  assert.equal(readCount(text, 'absent'), 0);
});

test('the table names a missed gate', () => {
  const measure = { name: 'x', unit: '1/s', product: 60, floor: 100, ratio: 0.6, gate: 'at least 0.7', pass: false };
  const text = table([{ ...measure, runs: { product: [], floor: [] } }]);
  assert.match(text, /\| x +\| 1\/s +\| 60 +\| 100 +\| 0\.60 +\| at least 0\.7 +\| MISSED/);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MOST_SERIES } from '../../src/runtime/meters.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';

const make = () => createMetrics({ version: '1.2.3', node: false });

/** The value of a series as a scrape gives it. */
async function valueOf(metrics: ReturnType<typeof make>, series: string): Promise<number | undefined> {
  const line = (await metrics.render()).split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('names', () => {
  test('those that bulk-service documents are there, all others begin with aldis_', () => {
    const names = make().described.map(({ name }) => name);
    const documented = names.filter((name) => !name.startsWith('aldis_'));
    assert.deepEqual(documented, [
      'message_service_processed_total',
      'message_service_processing_duration_seconds',
      'message_service_active_batches',
    ]);
    assert.equal(new Set(names).size, names.length);
  });

  test('every metric of ours is described, and a counter without labels is there from the start', async () => {
    const metrics = make();
    const text = await metrics.render();
    for (const { name, type } of metrics.described) assert(text.includes(`# TYPE ${name} ${type}\n`), name);
    assert.equal(await valueOf(metrics, 'aldis_stale_settles_total'), 0);
  });

  test("Node's own are there when asked for", async () => {
    const text = await createMetrics({ version: '1' }).render();
    assert.match(text, /^aldis_nodejs_eventloop_lag_seconds /m);
    assert(!/^(process|nodejs)_/m.test(text));
  });
});

describe('meters', () => {
  test('count whole batches, and spread values over buckets', async () => {
    const metrics = make();
    metrics.outcomes.add(20, { outcome: 'sent', code: '0' });
    metrics.outcomes.add(1, { outcome: 'sent', code: '0' });
    metrics.acceptToSent.observe(0.004);
    assert.equal(await valueOf(metrics, 'aldis_send_outcomes_total{outcome="sent",code="0"}'), 21);
    assert.equal(await valueOf(metrics, 'aldis_accept_to_sent_seconds_bucket{le="0.005"}'), 1);
    assert.equal(await valueOf(metrics, 'aldis_accept_to_sent_seconds_bucket{le="0.0025"}'), 0);
  });

  test('labels are bounded: what is too many is counted under other', async () => {
    const metrics = make();
    for (let code = 0; code < MOST_SERIES + 50; code++)
      metrics.outcomes.add(1, { outcome: 'retry', code: String(code) });
    assert.equal(await valueOf(metrics, 'aldis_send_outcomes_total{outcome="other",code="other"}'), 50);
    const series = (await metrics.render()).match(/^aldis_send_outcomes_total\{/gm);
    assert.equal(series?.length, MOST_SERIES + 1);
  });

  test('a gauge replaced keeps no series of before', async () => {
    const metrics = make();
    metrics.queueDepth.replace([{ value: 5, labels: { lane: '1', state: 'queued' } }]);
    metrics.queueDepth.replace([{ value: 6, labels: { lane: '2', state: 'queued' } }]);
    assert.equal(await valueOf(metrics, 'aldis_queue_depth{lane="1",state="queued"}'), undefined);
    assert.equal(await valueOf(metrics, 'aldis_queue_depth{lane="2",state="queued"}'), 6);
  });
});

describe('scrapes', () => {
  test('run the collectors first; one that fails is counted and harms nobody', async () => {
    const metrics = make();
    metrics.onScrape('good', async () => metrics.inFlight.set(7));
    metrics.onScrape('bad', () => {
      throw new Error('no');
    });
    assert.equal(await valueOf(metrics, 'aldis_sends_in_flight'), 7);
    assert.equal(await valueOf(metrics, 'aldis_scrape_errors_total{collector="bad"}'), 2);
  });

  test('that come together share one answer', async () => {
    const metrics = make();
    let collected = 0;
    metrics.onScrape('counting', () => {
      collected++;
    });
    await Promise.all([metrics.render(), metrics.render(), metrics.render()]);
    assert.equal(collected, 1);
  });
});

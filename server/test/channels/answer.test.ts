import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readAnswer } from '../../src/channels/whatsapp/answer.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { retryAfter } from '../../src/net/retry-after.ts';

const fixture = (name: string): string =>
  JSON.stringify(
    JSON.parse(readFileSync(new URL(`../../../simulator/fixtures/${name}.json`, import.meta.url), 'utf8')).payload,
  );

const answer = (status: number, body: string, headers: Record<string, string> = {}): Outcome =>
  readAnswer({ status, headers, body });

test("Meta's documented answers are sent, with the id", () => {
  for (const name of ['send-answer', 'send-answer-template', 'send-answer-user-id']) {
    const outcome = answer(200, fixture(name));
    assert.equal(outcome.kind, 'sent', name);
    assert.match(outcome.kind === 'sent' ? outcome.wamid : '', /^wamid\./);
  }
});

test("Meta's documented errors are told by their code, with what a person can read", () => {
  assert.deepEqual(answer(400, fixture('error'), { 'retry-after': '7' }), {
    kind: 'error',
    code: 130429,
    title: '(#130429) Rate limit hit',
    detail: 'Cloud API message throughput has been reached.',
    retryAfter: 7000,
  });
  const token = answer(401, fixture('error-token'));
  assert.equal(token.kind === 'error' && token.code, 190);
});

test('whatever is not in those words may hide an accepted message', () => {
  const unknown: [status: number, body: string][] = [
    [200, ''],
    [200, '<html>'],
    [200, '{"messages": []}'],
    [200, '{"messages": [{"id": ""}]}'],
    [200, '{"messages": [{"id": 7}]}'],
    [200, JSON.stringify({ messages: [{ id: 'w'.repeat(513) }] })],
    [200, JSON.stringify({ messages: [{ id: 'wamid.\0' }] })],
    [200, JSON.stringify({ error: { code: 131000 } })],
    [202, JSON.stringify({ messages: [{ id: 'wamid.A' }] })],
    [302, JSON.stringify({ error: { code: 1 } })],
    [400, '{"error": "no"}'],
    [400, '{"error": {"code": "131000"}}'],
    [400, '{"error": {"code": 1.5}}'],
    [400, '{"error": {"code": 3000000000}}'],
    [500, ''],
    [502, '<html>Bad gateway</html>'],
    [503, 'null'],
    [504, '[]'],
  ];
  for (const [status, body] of unknown) assert.equal(answer(status, body).kind, 'unknown', `${status} ${body}`);
});

test('texts that the database cannot hold, or that are too long, are made to fit', () => {
  const long = 'x'.repeat(5000);
  const error = { code: 100, message: `no\0${long}`, error_data: { details: `half \ud800 ${long}` } };
  const outcome = answer(400, JSON.stringify({ error }));
  assert.ok(outcome.kind === 'error');
  assert.ok(outcome.title.startsWith('no\ufffdx') && outcome.title.length === 300);
  assert.ok(outcome.detail?.startsWith('half \ufffd x') && outcome.detail.length === 1000);
  const bare = answer(500, '{"error": {"code": 2}}');
  assert.deepEqual(bare, { kind: 'error', code: 2, title: 'error', detail: null, retryAfter: null });
});

test('Retry-After is seconds or a date, and nonsense is none', () => {
  const now = Date.parse('2026-12-01T12:00:00Z');
  const cases: [header: string | string[] | undefined, wait: number | null][] = [
    ['120', 120_000],
    ['0', 0],
    [['30', '60'], 30_000],
    ['Tue, 01 Dec 2026 12:00:30 GMT', 30_000],
    ['Tue, 01 Dec 2026 11:00:00 GMT', 0],
    [undefined, null],
    ['', null],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['9999999999', null],
  ];
  for (const [header, wait] of cases) assert.equal(retryAfter(header, now), wait, String(header));
});

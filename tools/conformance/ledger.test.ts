import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ledgerFlaws } from './coverage.ts';
import { documentedNames, ledgerText, readLedger } from './ledger.ts';
import { differences } from './match.ts';
import { fillIn, pathsOf, readRequest, replaceAll } from './written-text.ts';

test('every documented name has its line, and every line that says works is held', () => {
  const ledger = readLedger(ledgerText());
  assert.ok(ledger.services.length > 0);
  assert.deepEqual(ledgerFlaws(ledger, documentedNames()), []);
});

const SMALL = `
services:
  shop:
    names:
      request: {GET /a: works, GET /b: {verdict: later, why: planned}}
      answer: {GET /a: {id: works}}
      env: {NAME: {verdict: read as, as: another}}
    examples:
      - title: A
        request: GET /a
        answer: |
          200
          {"id": "<id>"}
`;
const NAMES = ['answer shop GET /a id', 'env shop NAME', 'request shop GET /a', 'request shop GET /b'];

test('a small ledger in order', () => {
  assert.deepEqual(ledgerFlaws(readLedger(SMALL), NAMES), []);
});

/** Planted mistakes: how the ledger is changed, and what has to be said of it. */
const PLANTED: readonly [string, string, string, RegExp][] = [
  ['a line without a verdict', '{id: works}', '{id: }', /^answer shop GET \/a id: has no verdict$/],
  ['a verdict that is none', '{id: works}', '{id: perhaps}', /perhaps is no verdict/],
  ['later without a reason', ', why: planned', '', /GET \/b: `why` is missing/],
  ['read as nothing', ', as: another', '', /`as` is missing/],
  ['a name without a line', 'env: {NAME: ', 'env: {NAMES: ', /^env shop NAME: has no line/],
  ['a line that is no name', 'env: {NAME: ', 'env: {NAMES: ', /^env shop NAMES: is not in docs/],
  ['works, and nothing holds it', '{"id": "<id>"}', '{}', /^answer shop GET \/a id: works, but no example/],
  ['a test that is not there', 'as: another}', 'as: another, proof: gone.test.ts}', /there is no gone.test.ts/],
  [
    'a test that says something else',
    'as: another}',
    "as: another, proof: 'docs/compat.yaml: \\u0000'}",
    /docs\/compat.yaml does not say/,
  ],
  [
    'an example that holds what is no entry',
    'request: GET /a\n',
    'request: GET /a\n        holds: [env X]\n',
    /holds env X/,
  ],
  [
    'a replacement of what is not there',
    'request: GET /a\n',
    'request: GET /a\n        replaced: [{what: b, by: c, why: id}]\n',
    /replaces "b", which is not in the text/,
  ],
];

for (const [mistake, right, wrong, said] of PLANTED) {
  test(`is found: ${mistake}`, () => {
    assert.ok(SMALL.includes(right));
    const flaws = ledgerFlaws(readLedger(SMALL.replace(right, wrong)), NAMES);
    assert.ok(
      flaws.some((flaw) => said.test(flaw)),
      flaws.join('\n'),
    );
  });
}

const SCRIPT = `
services:
  shop:
    names:
      request: {GET /ws: works}
      header: {X-User-ID: works}
      event: {told: works, told payload.id: works}
      client-event: {ask: works}
    socket:
      before: []
      connect: {text: "ws://localhost:1/ws\\nHeaders:\\n  X-User-ID: any\\n"}
      script: {text: "const ws = new WebSocket('ws://localhost:1/ws');\\n// then\\nws.send('');", pause: // then, prints: Connected}
      steps:
        - {title: A, sends: '{"type": "ask"}', tells: [{to: script, frame: '{"type": "told", "payload": {"id": "uuid"}}'}]}
`;
const SCRIPT_NAMES = [
  'client-event shop ask',
  'event shop told',
  'event shop told payload.id',
  'header shop X-User-ID',
  'request shop GET /ws',
];

test('a documented script holds its socket, its headers and the frames of its steps', () => {
  const flawsOf = (text: string) => ledgerFlaws(readLedger(text), SCRIPT_NAMES).join('\n');
  assert.equal(flawsOf(SCRIPT), '');
  assert.match(flawsOf(SCRIPT.replace('"type": "told"', '"type": "other"')), /^event shop told: works, but no example/);
  assert.match(flawsOf(SCRIPT.replace('X-User-ID: any', 'X-Other: any')), /^header shop X-User-ID: works, but/);
  assert.match(flawsOf(SCRIPT.replace('pause: // then', 'pause: // never')), /its script: .*does not say \/\/ never/);
});

test('an answer may have more than is documented, and nothing less or otherwise', () => {
  const documented = {
    id: '<id>',
    at: '2025-11-04T10:30:00Z',
    total: 100,
    read_at: null,
    list: [{ status: 'sent' }],
    gone: '<time or null>',
  };
  const right = {
    id: '01a1fc88-ed66-7193-bd93-3bbb52bd8550',
    at: '2026-01-01T00:00:00.000Z',
    total: 0,
    read_at: '2026-01-01T00:00:00.000Z',
    list: [{ status: 'sent', state: 'sent' }],
    gone: null,
    more: true,
  };
  assert.deepEqual(differences(documented, right), []);
  for (const wrong of [
    { id: 'uuid' },
    { at: 'yesterday' },
    { at: null },
    { total: '0' },
    { read_at: 0 },
    { list: [] },
    { list: {} },
    { list: [{ status: 'sent' }, { status: 'read' }] },
    { gone: '' },
  ]) {
    assert.equal(differences(documented, { ...right, ...wrong }).length, 1, JSON.stringify(wrong));
  }
  const { total: _, ...less } = right;
  assert.deepEqual(differences(documented, less), ['total is missing']);
  assert.deepEqual(differences(documented, null), ['the body is null, not an object']);
});

test('documented texts are read as they are written', () => {
  const text = 'POST /a?b=1\nX-Tenant-Id: t\n\n{\n  "c": 1\n\n}\n';
  assert.deepEqual(readRequest(text), {
    method: 'POST',
    path: '/a?b=1',
    headers: { 'X-Tenant-Id': 't' },
    body: '{\n  "c": 1\n\n}',
  });
  assert.equal(replaceAll('a [...] b', [{ what: '[...]', by: '[]', why: 'ellipsis' }]), 'a [] b');
  assert.equal(fillIn('{{a}}-{{b}}', { a: '1', b: '2' }), '1-2');
  assert.throws(() => fillIn('{{c}}', {}), /nothing is known of \{\{c\}\}/);
  assert.deepEqual(pathsOf({ a: [{ b: 1 }, { c: { d: null } }] }), ['a', 'a[].b', 'a[].c', 'a[].c.d']);
});

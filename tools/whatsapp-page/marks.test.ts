import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMarks } from './marks.ts';
import { readNames } from './names.ts';
import { pageFlaws, whatsappPage } from './page.ts';

const dollar = '$';

test('titles name what they prove, several at once, in a loop once for each code', () => {
  const text = [
    "test('a list is answered [received interactive list_reply]', () => {});",
    'test("an alert is kept [field account_alerts] [field security]", () => {});',
    `  test(\`by answer [code ${dollar}{code}]\`, () => {});`,
    "  ['it\\'s told [code 200-299]', 203],",
    "test('an array [1 2] and [some thing]', () => {});",
  ].join('\n');
  const marks = readMarks('a.test.ts', text, ['1', '2']).map(({ id, title }) => `${id}: ${title}`);
  assert.deepEqual(marks, [
    'received interactive list_reply: a list is answered',
    'field account_alerts: an alert is kept',
    'field security: an alert is kept',
    'code 1: by answer',
    'code 2: by answer',
    "code 200-299: it's told",
  ]);
});

test('names are read with what they are; what is no line is told', () => {
  const { names, flaws } = readNames('# head\n\nsent text\ncode 1 # odd\ncode 1\nother x\nsent\n');
  assert.deepEqual(names, [
    { kind: 'sent', name: 'text', about: '' },
    { kind: 'code', name: '1', about: 'odd' },
  ]);
  assert.deepEqual(
    flaws.map((flaw) => flaw.replace(/^.*?: /, '')),
    ['stands there twice', 'not KIND NAME, or no kind', 'not KIND NAME, or no kind'],
  );
});

test('a name without a test falls short, and so does a test of no name', () => {
  const { names } = readNames('sent text\nsent image\n');
  const marks = [
    { id: 'sent text', file: 'a.test.ts', title: 'a | b' },
    { id: 'sent smoke', file: 'b.test.ts', title: 'c' },
  ];
  assert.deepEqual(pageFlaws(names, marks), [
    '[sent image]: no title of a test names it',
    'b.test.ts: [sent smoke] is not in docs/whatsapp-names.txt',
  ]);
  const page = whatsappPage(names, marks);
  assert.match(page, /^\| `text` \| a \\\| b \(\[test\]\(\.\.\/a\.test\.ts\)\) \|$/m);
  assert.match(page, /^\| `image` \| \*\*nothing\*\* \|$/m);
});

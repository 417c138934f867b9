import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keywordReader, sayingsOf } from '../../src/domain/consent.ts';
import { OPT_IN_WORDS, OPT_OUT_WORDS } from '../../src/runtime/consent-words.ts';

const read = keywordReader({ opt_out: OPT_OUT_WORDS, opt_in: OPT_IN_WORDS });

test('a whole text that is a keyword counts, whatever its case, accents and marks', () => {
  const outs = [
    'STOP',
    'stop',
    ' Stop.\n',
    '"stop"',
    'STOP!!!',
    'stop 🛑',
    'Stop\u200b',
    'ＳＴＯＰ',
    'Arrêt',
    'arret',
    'ARRÊT',
  ];
  for (const text of outs) assert.equal(read(text)?.state, 'out', JSON.stringify(text));
  for (const text of [
    'berhenti',
    'Baja',
    'sair',
    'STOPP',
    'стоп',
    'बंद करें',
    'रोकें',
    'إلغاء الاشتراك',
    'إيقاف',
    'opt   out',
  ]) {
    assert.equal(read(text)?.state, 'out', text);
  }
  for (const text of ['start', 'Mulai', 'ALTA', "S'abonner", 'старт']) assert.equal(read(text)?.state, 'in', text);
  assert.equal(read('Stop promotions')?.keyword, 'STOP PROMOTIONS');
});

test('hyphens are spaces, and apostrophes are those that telephones write', () => {
  for (const text of ['Opt-out', 'opt‑out', 'OPT – OUT', '- stop -']) assert.equal(read(text)?.state, 'out', text);
  for (const text of ['opt-in', 's’abonner', 'INSCREVER SE', 'inscrever-se'])
    assert.equal(read(text)?.state, 'in', text);
});

test('a vowel that a script writes as a mark is no accent: another one makes another word', () => {
  // Wait; Raku; he stopped; we stop it.
  for (const text of ['रुको', 'राकू', 'रुका', 'बंदा करो', 'शेर कर']) assert.equal(read(text), null, text);
  const japanese = keywordReader({ opt_out: ['ハス'], opt_in: [] });
  assert.deepEqual([japanese('バス'), japanese('ﾊｽ')?.state], [null, 'out']);
});

test('what only contains a keyword, or is none, does not', () => {
  const none = [
    '',
    '   ',
    '.',
    '👍',
    'please stop',
    'stop it',
    'nonstop',
    'st op',
    'cancel',
    'no',
    'a'.repeat(200),
    's.t.o.p',
  ];
  for (const text of none) assert.equal(read(text), null, JSON.stringify(text));
});

test('lists are what they are given as; a word of both opts out', () => {
  const own = keywordReader({ opt_out: ['Genug', '!!'], opt_in: ['genug', 'Los'] });
  assert.deepEqual(own('GENUG'), { state: 'out', keyword: 'Genug' });
  assert.deepEqual(own('los'), { state: 'in', keyword: 'Los' });
  assert.equal(own('stop'), null);
  assert.equal(own('!!'), null);
});

test('no word of the usual lists is in both', () => {
  for (const word of OPT_IN_WORDS) assert.equal(read(word)?.state, 'in', word);
});

test('texts, and titles and payloads of what was tapped, may be keywords; captions are none', () => {
  assert.deepEqual(sayingsOf('text', { text: 'stop' }), ['stop']);
  assert.deepEqual(sayingsOf('image', { text: 'stop' }), []);
  assert.deepEqual(sayingsOf('button', { reply: { kind: 'quick_reply', title: 'Stop', payload: 'P' } }), ['Stop', 'P']);
  assert.deepEqual(sayingsOf('text', null), []);
  assert.deepEqual(sayingsOf('text', { text: 7, reply: 'x' }), []);
  assert.deepEqual(sayingsOf('text', { text: 'x'.repeat(5000) }), []);
});

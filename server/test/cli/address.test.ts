import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCountry, readAddress } from '../../src/cli/address.ts';

const ID = checkCountry('id');

function read(text: string, country: typeof ID | null = ID): string {
  const address = readAddress(text, country);
  return address.kind === 'address' ? address.value : `! ${address.reason}`;
}

test('numbers with a country code, as people write them', () => {
  for (const text of [
    '+6281234567890',
    ' +62 812-3456-7890 ',
    '006281234567890',
    '+62 (812) 3456 7890',
    '+62.812.3456.7890',
  ]) {
    assert.equal(read(text, null), '+6281234567890', text);
  }
  assert.equal(read('+44 (0)20 7946 0958', null), '+442079460958');
});

test('a number that fits E.164 is taken by its shape: whether it exists, WhatsApp says', () => {
  assert.equal(read('+1234567890', null), '+1234567890');
  assert.equal(read('+15550000131', null), '+15550000131');
});

test('national numbers get the default country', () => {
  for (const text of ['081234567890', '0812-3456-7890', '(0812) 3456 7890', '81234567890', '6281234567890']) {
    assert.equal(read(text), '+6281234567890', text);
  }
  assert.equal(read('(11) 96123-4567', checkCountry('BR')), '+5511961234567');
});

test('a business-scoped user id stays as it is', () => {
  assert.equal(read('ID.1A2b3C', null), 'ID.1A2b3C');
});

test('what is no number is refused with the reason', () => {
  assert.match(read(''), /there is no number/);
  assert.match(read('Ana'), /"Ana" is no phone number/);
  assert.match(read('081234567890', null), /has no country code; write it like \+6281234567890, or give --country/);
  assert.match(read('6,28123E+12'), /rounded by a spreadsheet/);
  assert.match(read('6.28E12'), /rounded by a spreadsheet/);
  assert.match(read('+62'), /no phone number/);
  assert.match(read('+0812345678'), /no phone number/);
  assert.match(read('+1234567890123456'), /no phone number/);
  assert.match(read('0812'), /"0812"/);
  assert.match(read('081234567890 or 081234567891'), /"081234567890 or 081234567891"/);
  assert.ok(read('x'.repeat(10_000)).length < 100);
});

test('a country that there is not is an error of usage', () => {
  assert.throws(() => checkCountry('Indonesia'), /--country Indonesia: give the two letters of a country/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCountries } from 'libphonenumber-js/min';
import { countriesOf, countryOf } from '../../src/domain/country.ts';
import { isTimeZone, minuteAt, nextMinute, placeOf, zonesOf } from '../../src/domain/time-zones.ts';

test('an address belongs to the country of its numbering plan, or of its user id', () => {
  for (const [address, country] of Object.entries({
    '+6281234567890': 'ID',
    '+12125551234': 'US',
    '+14165551234': 'CA',
    '+18764567890': 'JM',
    '+77011234567': 'KZ',
    '+79161234567': 'RU',
    '+38344123456': 'XK',
    'BR.A1b2C3': 'BR',
  })) {
    assert.equal(countryOf(address), country, address);
  }
});

test('a number of no single country belongs to all of its calling code, or to none', () => {
  const shared = countriesOf('+1234567890');
  assert.ok(shared.includes('US') && shared.includes('CA') && shared.length > 20, shared.join());
  assert.equal(countryOf('+1234567890'), null);
  for (const address of ['+883123456789012', '+999123456789', '', 'x']) {
    assert.deepEqual([countriesOf(address), countryOf(address)], [[], null], address);
  }
});

test('every country of the numbering plans has zones, and each of them works', () => {
  for (const country of getCountries()) {
    const zones = zonesOf(country);
    assert.ok(zones.length > 0, country);
    for (const zone of zones) assert.ok(isTimeZone(zone), `${country} ${zone}`);
  }
  assert.deepEqual(zonesOf('ID').toSorted(), ['Asia/Jakarta', 'Asia/Jayapura', 'Asia/Makassar', 'Asia/Pontianak']);
  assert.deepEqual(zonesOf('QZ'), []);
});

test('where nobody knows, it is UTC', () => {
  assert.deepEqual(placeOf('+883123456789012').zones, ['UTC']);
  assert.deepEqual(placeOf('QZ.abc').zones, ['UTC']);
  assert.deepEqual(placeOf('+4915112345678'), { key: 'DE', zones: zonesOf('DE') });
  assert.notEqual(placeOf('+1234567890').key, placeOf('+12125551234').key);
});

test('a zone is named as IANA does', () => {
  for (const name of ['Asia/Jakarta', 'America/Argentina/Buenos_Aires', 'UTC', 'Asia/Kolkata', 'Etc/GMT+5']) {
    assert.equal(isTimeZone(name), true, name);
  }
  for (const name of ['', '+07:00', 'Mars/Base', 'Asia/', 'Asia/Jakarta\n', 'x'.repeat(200), '../etc']) {
    assert.equal(isTimeZone(name), false, name);
  }
});

const at = (time: string) => Date.parse(time);

test('the clocks of a zone, and when they next show a time', () => {
  const now = at('2026-11-21T10:15:30.500Z');
  assert.equal(minuteAt('Asia/Kathmandu', now), 16 * 60);
  assert.equal(nextMinute('Asia/Kathmandu', 16 * 60 + 1, now), at('2026-11-21T10:16:00Z'));
  assert.equal(nextMinute('Asia/Kathmandu', 8 * 60, now), at('2026-11-22T02:15:00Z'));
  // The minute that has begun comes again tomorrow.
  assert.equal(nextMinute('UTC', 10 * 60 + 15, now), at('2026-11-22T10:15:00Z'));
  assert.equal(nextMinute('Pacific/Kiritimati', 0, at('2026-12-31T09:59:59Z')), at('2026-12-31T10:00:00Z'));
});

test('clocks that are set forward and back', () => {
  // Berlin, 2027-03-28: from 02:00 to 03:00.
  const spring = at('2027-03-27T22:00:00Z');
  assert.equal(nextMinute('Europe/Berlin', 8 * 60, spring), at('2027-03-28T06:00:00Z'));
  assert.equal(nextMinute('Europe/Berlin', 150, spring), at('2027-03-28T01:30:00Z'));
  // Berlin, 2026-10-25: from 03:00 to 02:00.
  const autumn = at('2026-10-24T21:00:00Z');
  assert.equal(nextMinute('Europe/Berlin', 8 * 60, autumn), at('2026-10-25T07:00:00Z'));
  assert.equal(nextMinute('Europe/Berlin', 150, autumn), at('2026-10-25T00:30:00Z'));
  // In the hour that comes twice, the second time.
  assert.equal(nextMinute('Europe/Berlin', 150, at('2026-10-25T01:10:00Z')), at('2026-10-25T01:30:00Z'));
});

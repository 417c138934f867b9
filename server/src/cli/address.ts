import { type CountryCode, isSupportedCountry, ParseError, parsePhoneNumberWithError } from 'libphonenumber-js/min';
import { BSUID, E164 } from '../domain/phone.ts';
import { usageError } from './exit-codes.ts';

/** What came of reading an addressee: as the API takes it, or why not. */
export type Address = { kind: 'address'; value: string } | { kind: 'refused'; reason: string };

/**
 * Reads an addressee as people write it: `+62 812-3456-7890`, `0062…`, `0812 3456 7890` with a default country, or a
 * business-scoped user id. A number with its country code is taken by shape, as the API takes it: whether it exists is
 * for WhatsApp to say. A national one must have a length that its country has, for a wrong guess reaches a stranger.
 * @param defaultCountry of numbers without a country code, from `checkCountry`
 */
export function readAddress(text: string, defaultCountry: CountryCode | null): Address {
  const written = text.trim();
  if (written === '') return refused('there is no number');
  if (BSUID.test(written)) return { kind: 'address', value: written };
  if (/^\d+([.,]\d+)?E\+?\d+$/i.test(written)) {
    return refused(`${quote(written)} was rounded by a spreadsheet; format the column as text and export it again`);
  }
  const international = written.replace(/^(\+|00(?=[1-9]))\s*/, '+');
  if (international.startsWith('+')) return readInternational(international, written);
  if (!/\d/.test(written)) return refused(`${quote(written)} is no phone number`);
  if (defaultCountry === null) {
    return refused(`${quote(written)} has no country code; write it like +6281234567890, or give --country`);
  }
  return readNational(written, defaultCountry);
}

/** The default country as an ISO 3166 code of two letters. @throws {CliError} `usage` when there is no such country */
export function checkCountry(country: string): CountryCode {
  const code = country.toUpperCase();
  if (!isSupportedCountry(code)) {
    throw usageError(`--country ${country}: give the two letters of a country, such as ID, IN or BR`);
  }
  return code;
}

function readInternational(international: string, written: string): Address {
  const parsed = parse(international, undefined);
  if (typeof parsed !== 'string' && parsed.isPossible()) return { kind: 'address', value: parsed.number };
  const plain = international.replace(/[\s().\-/]/g, '');
  if (E164.test(plain)) return { kind: 'address', value: plain };
  return refused(`${quote(written)} is no phone number: after + come 7 to 15 digits`);
}

function readNational(written: string, country: CountryCode): Address {
  const parsed = parse(written, country);
  if (typeof parsed === 'string') return refused(`${quote(written)} ${parsed}`);
  if (!parsed.isPossible()) return refused(`${quote(written)} has no length that numbers of ${country} have`);
  return { kind: 'address', value: parsed.number };
}

/** The number, or what is wrong with it. */
function parse(text: string, defaultCountry: CountryCode | undefined) {
  try {
    return parsePhoneNumberWithError(text, { defaultCountry, extract: false });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const words: Record<string, string> = {
      TOO_SHORT: 'is too short for a phone number',
      TOO_LONG: 'is too long for a phone number',
      INVALID_COUNTRY: 'begins with no country code',
    };
    return words[error.message] ?? 'is no phone number';
  }
}

function refused(reason: string): Address {
  return { kind: 'refused', reason };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

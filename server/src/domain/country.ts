import { getCountries, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { BSUID } from './phone.ts';

/**
 * Which country an address belongs to, as ISO 3166 has it: two capital letters. Of a phone number its numbering plan tells; a
 * business-scoped user id begins with it. Takes about 10 µs, and remembers nothing.
 */
export function countryOf(address: string): string | null {
  const countries = countriesOf(address);
  return countries.length === 1 ? (countries[0] as string) : null;
}

/**
 * The same, for whoever can do with several: all that share the calling code where the rest of a number fits none of them. None
 * for international networks, and for numbers that no plan knows.
 */
export function countriesOf(address: string): readonly string[] {
  if (BSUID.test(address)) return [address.slice(0, 2)];
  const number = parsePhoneNumberFromString(address);
  if (!number) return [];
  if (number.country) return [number.country];
  sharing ??= countriesByCode();
  return sharing.get(number.countryCallingCode) ?? [];
}

let sharing: ReadonlyMap<string, readonly string[]> | undefined;

function countriesByCode(): ReadonlyMap<string, readonly string[]> {
  const byCode = new Map<string, string[]>();
  for (const country of getCountries()) {
    const code = getCountryCallingCode(country);
    const countries = byCode.get(code);
    if (countries) countries.push(country);
    else byCode.set(code, [country]);
  }
  return byCode;
}

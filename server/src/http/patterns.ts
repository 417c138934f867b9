/**
 * What the patterns of our schemas mean, for people: a refused field is told in these words and not by an expression. A test
 * finds patterns that have none.
 */
export const PATTERN_WORDS: Readonly<Record<string, string>> = {
  '^\\P{Cc}+$': 'must have no control characters',
  '^[^\\p{Cc}\\p{Cs}]+$': 'must have no control characters',
  '^[^\\p{Cc}\\p{Cs}]*$': 'must have no control characters',
  '^[^\\p{Cc}\\p{Cs}/\\\\]+$': 'must have no slashes and no control characters',
  '^[\\x21-\\x7e]+$': 'must be letters, digits and signs of ASCII without blanks',
  '^\\d{5,20}$': 'must be 5 to 20 digits',
  '^\\d{5,32}$': 'must be 5 to 32 digits',
  '^\\+[1-9]\\d{6,14}$': 'must be a phone number with + and its country code, like +6281234567890',
  '^[A-Z]{2}\\.[A-Za-z0-9]{1,128}$': 'must be a business-scoped user id, like US.13491208655302741918',
  '^[a-z0-9][a-z0-9_-]{0,63}$': 'must be 1 to 64 small letters, digits, _ and -, and not begin with _ or -',
  '^[a-z0-9_]{1,512}$': 'must be 1 to 512 small letters, digits and _',
  '^[a-z_]+$': 'must be small letters and _',
  '^[A-Za-z_]{1,50}$': 'must be 1 to 50 letters and _',
  '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$': 'must be a code like en, en_US or pt_BR',
  '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$': 'must be a code like id, en_US or pt-BR',
  "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$": 'must be the name of a header, like X-API-Key',
  '^([01]\\d|2[0-3]):[0-5]\\d$': 'must be a time of the day, like 21:30',
  '^[^:\\p{Cc}\\p{Cs}]+:[^\\p{Cc}\\p{Cs}]*$': 'must be NAME:VALUE, like city:Jakarta',
};

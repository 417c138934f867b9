import { countriesOf } from './country.ts';

/**
 * Which time zones an address may be in, and what a wall clock shows there. Zones and their rules are those that come with Node
 * (IANA, by Unicode's list of regions). Times are milliseconds since 1970.
 */

/** Regions that numbering plans tell apart and Unicode's list does not. */
const NOT_LISTED: Readonly<Record<string, readonly string[]>> = {
  AC: ['Atlantic/St_Helena'],
  TA: ['Atlantic/St_Helena'],
  XK: ['Europe/Belgrade'],
};

/** For whom no country is known, such as satellite telephones. */
const ELSEWHERE: readonly string[] = ['UTC'];

const byCountry = new Map<string, readonly string[]>();

/** All zones of a country of two letters. Empty: there is no such country. */
export function zonesOf(country: string): readonly string[] {
  let zones = byCountry.get(country);
  if (zones === undefined) {
    // Two letters: there are never more than a few hundred.
    zones = NOT_LISTED[country] ?? new Intl.Locale('und', { region: country }).getTimeZones() ?? [];
    byCountry.set(country, zones);
  }
  return zones;
}

/** A place whose clocks matter: its zones, and a word that tells it from others. */
export interface Place {
  key: string;
  zones: readonly string[];
}

/** Where an address is: in one country, in one of several, or nobody knows and it counts as UTC. */
export function placeOf(address: string): Place {
  const countries = countriesOf(address);
  const zones = countries.length === 1 ? zonesOf(countries[0] as string) : countries.flatMap(zonesOf);
  return zones.length === 0 ? { key: '', zones: ELSEWHERE } : { key: countries.join(), zones };
}

/** Whether it is the name of a zone, as IANA has them: `Asia/Jakarta`. An offset such as +07:00 is none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]{1,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** What the clocks of a zone show: minutes since midnight. */
export function minuteAt(zone: string, at: number): number {
  const { hour, minute } = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  return hour * 60 + minute;
}

/**
 * When the clocks of a zone next show a minute of the day, after `at`. One that is left out because clocks are set forward comes
 * as late as they are.
 */
export function nextMinute(zone: string, minuteOfDay: number, at: number): number {
  const now = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  const time = { hour: Math.floor(minuteOfDay / 60), minute: minuteOfDay % 60 };
  // In an hour that comes twice it is the one that `at` is in.
  const today = now.with({ ...time, second: 0, millisecond: 0 }).epochMilliseconds;
  if (today > at) return today;
  const tomorrow = now.toPlainDate().add({ days: 1 });
  return tomorrow.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;
}

import type { Location } from '../message.ts';
import { invalid, objectAt, optionalStringAt } from './fields.ts';

/** Characters of the name and of the address. Meta names no limit; this one is ours. */
const LABEL = 1000;

/** Checks a place (Meta, messages/location-messages). */
export function checkLocation(path: string, value: unknown): Location {
  const { latitude, longitude, name, address } = objectAt(path, value, ['latitude', 'longitude', 'name', 'address']);
  optionalStringAt(`${path}.name`, name, LABEL);
  optionalStringAt(`${path}.address`, address, LABEL);
  return {
    latitude: degrees(`${path}.latitude`, latitude, 90),
    longitude: degrees(`${path}.longitude`, longitude, 180),
    ...(typeof name === 'string' ? { name } : undefined),
    ...(typeof address === 'string' ? { address } : undefined),
  };
}

function degrees(path: string, value: unknown, most: number): number {
  if (typeof value !== 'number' || !(Math.abs(value) <= most)) {
    throw invalid(path, `must be a number from -${most} to ${most}`, most);
  }
  return value;
}

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/**
 * Holds a key of an object to what keys are: segments of letters, digits and `. _ -` between single slashes, none of which
 * begins with a dot. So a key never leads out of a folder, and never to what a store keeps for itself.
 * @throws {RangeError} for anything else: keys are made here, so it is a mistake of ours.
 */
export function checkedKey(key: string): string {
  if (key.length > 512 || !key.split('/').every((segment) => SEGMENT.test(segment))) {
    throw new RangeError(`"${key}" is no key of an object`);
  }
  return key;
}

/* Units of settings: milliseconds and bytes. */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const KIB = 2 ** 10;
export const MIB = 2 ** 20;
export const MB = 1e6;

import { InvalidArgumentError } from 'commander';

/** An option's parser for a number within limits. The result is in the unit that the option names. */
export function numberBetween(least: number, most: number, whole = false): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value) || value < least || value > most || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(`Write a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`);
    }
    return value;
  };
}

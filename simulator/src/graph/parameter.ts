import type { Reply } from '../reply.ts';
import { graphError } from './errors.ts';

/** The refusal of a parameter that is no string or longer than `max`; an absent one passes. */
export function tooLong(parameter: string, value: unknown, max: number): Reply | undefined {
  if (value === undefined || (typeof value === 'string' && value.length <= max)) return undefined;
  const problem = typeof value === 'string' ? `must be at most ${max} characters long.` : 'must be a string.';
  return graphError(`(#100) Param ${parameter} ${problem}`);
}

/** The refusal of a request without this parameter. */
export function required(parameter: string): Reply {
  return graphError(`(#100) The parameter ${parameter} is required.`);
}

/** Whether it is a string with something in it. */
export function text(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

import { AldisError } from './errors.ts';
import type { TemplateComponent } from './template-definition.ts';
import { asRecord, typeOf } from './template-shape.ts';

/** What is wrong with a template, told with the path of the field and its limit. */

/** Calls `check` with each component, its type and its path. */
export function each(
  components: readonly TemplateComponent[],
  field: string,
  check: (component: TemplateComponent, type: string, at: string) => void,
): void {
  for (const [i, component] of components.entries()) check(component, typeOf(component), `${field}[${i}]`);
}

/** @throws {AldisError} `invalid_field` */
export function recordAt(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(at, 'must be an object');
  return asRecord(value);
}

/** A text of at most `most` characters. @throws {AldisError} `missing_field`, `invalid_field` */
export function textAt(part: Readonly<Record<string, unknown>>, name: string, at: string, most: number): string {
  const text = part[name];
  const field = `${at}.${name}`;
  if (text === undefined) throw new AldisError('missing_field', `${field} is required.`, { field });
  if (typeof text !== 'string' || text.trim() === '') throw invalid(field, 'must be a string that is not empty');
  const characters = text.length > most ? [...text].length : 0;
  if (characters > most)
    throw invalid(field, `must be at most ${most} characters, but has ${characters}`, { limit: most });
  return text;
}

export function missing(field: string, what: string): AldisError {
  return new AldisError('missing_field', `${field} must have ${what}.`, { field });
}

export function invalid(field: string, flaw: string, details?: Record<string, number>): AldisError {
  return new AldisError('invalid_field', `${field} ${flaw}.`, { field, ...(details && { details }) });
}

/** Whether a value can be the example of a variable. */
export function isExample(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

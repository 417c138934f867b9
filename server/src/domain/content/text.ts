import { AldisError } from '../errors.ts';
import { fillIn, type Values } from '../variables.ts';
import { checkLength, checkString, invalid } from './fields.ts';

/** Characters of a text and of a caption: Meta, messages/text-messages and messages/media. */
export const TEXT_LIMITS = { text: 4096, caption: 1024 } as const;

/** Values for the names in a text: the request's, then the contact's. */
export interface TextValues {
  variables?: Values | undefined;
  contact?: Values | undefined;
}

/**
 * A text with its values in it, checked.
 * @throws {AldisError} `missing_variables` naming all that have no value.
 */
export function checkText(path: string, raw: string, values: TextValues, most: number): string {
  const { text, missing } = fillIn(raw, values.variables ?? {}, values.contact);
  if (missing.length > 0) {
    throw new AldisError(
      'missing_variables',
      `There is no value for ${missing.map((name) => `{${name}}`).join(', ')}.`,
      { field: path, details: { variables: missing } },
    );
  }
  checkString(path, text);
  if (text.trim() === '') throw invalid(path, 'must not be empty');
  checkLength(path, text, most);
  return text;
}

import { isCode, isRecord } from '../answer.ts';
import { listOf, recordOf, textOf } from './values.ts';

/** An error as webhooks tell it, of a message or of an account. */
export interface ProviderError {
  code: number;
  title: string;
  detail: string | null;
}

const UNKNOWN = 131000;

/** The errors of an item; what is no error is left out. */
export function readErrors(value: unknown): ProviderError[] {
  return listOf(value)
    .filter(isRecord)
    .map((error) => readError(error));
}

/** One error, whatever of it can be read. */
export function readError(error: Record<string, unknown> | undefined): ProviderError {
  return {
    code: isCode(error?.['code']) ? error['code'] : UNKNOWN,
    title: textOf(error?.['title'], 300) ?? textOf(error?.['message'], 300) ?? 'failed',
    detail: textOf(recordOf(error?.['error_data'])?.['details'], 1000),
  };
}

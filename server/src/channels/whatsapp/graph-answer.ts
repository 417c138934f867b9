import { isTooFast } from '../../domain/provider-errors.ts';
import type { TemplateRefusal } from '../../domain/template-provider.ts';
import { isCode, isRecord } from './answer.ts';

/** What the Graph API answered to a question about templates. */
export type GraphAnswer =
  | { kind: 'answer'; body: Record<string, unknown> }
  | { kind: 'refused'; refusal: TemplateRefusal }
  | { kind: 'later'; detail: string; retryAfter: null };

/** Only the provider's own words count: anything else may hide that it took the template. */
export function readGraph({ status, text }: { status: number; text: string }): GraphAnswer {
  const body = parse(text);
  const error = isRecord(body) ? body['error'] : undefined;
  if (isRecord(error) && isCode(error['code'])) {
    const { code } = error;
    const title = textOf(error['error_user_title'], 300) ?? textOf(error['message'], 300) ?? 'error';
    const detail = textOf(error['error_user_msg'], 1000) ?? detailsOf(error['error_data']);
    const passing = LATER.includes(code) || (code >= 200 && code <= 299) || isTooFast(code);
    if (passing) return { kind: 'later', detail: `${detail ?? title} (error ${code})`, retryAfter: null };
    const subcode = isCode(error['error_subcode']) ? error['error_subcode'] : null;
    return { kind: 'refused', refusal: { code, subcode, title, detail } };
  }
  if (status !== 200 || !isRecord(body)) {
    return { kind: 'later', detail: `HTTP ${status} without an answer of the Graph API`, retryAfter: null };
  }
  return { kind: 'answer', body };
}

function detailsOf(data: unknown): string | null {
  return isRecord(data) ? textOf(data['details'], 1000) : null;
}

/** Errors that say nothing against the template: it is told of later (Meta: support/error-codes; 190 and the like: the token). */
const LATER: readonly number[] = [0, 1, 2, 3, 10, 190, 368, 131_000, 131_005, 131_016, 131_031, 131_042];

/** A word of the provider's, as the database can hold it. */
export function textOf(value: unknown, longest: number): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

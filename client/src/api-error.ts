/** Milliseconds in a second, as `Retry-After` counts. */
const SECOND = 1000;

interface ErrorBody {
  error?: unknown;
  code?: unknown;
  message?: unknown;
  details?: unknown;
  request_id?: unknown;
}

export interface ErrorFields {
  code: string;
  /** The HTTP status; 0: there was no answer, or it was about a frame. */
  status?: number;
  details?: Record<string, unknown> | null;
  requestId?: string | null;
  /** Seconds after which the same may succeed; null: not told. */
  retryAfter?: number | null;
  cause?: unknown;
}

/**
 * What went wrong. `code` is one of docs/errors.md, or the client's own: `unreachable` (no answer came), `connection_lost` (a socket broke, and
 * whether the frame was done is not known), `closed` (by `close()`), `outbox_full`, `invalid_answer`, `broken_chain`; `http_502` and the like for
 * an answer that is not Aldis's.
 */
export class AldisError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, unknown> | null;
  readonly requestId: string | null;
  readonly retryAfter: number | null;

  constructor(message: string, fields: ErrorFields) {
    const { code, status = 0, details = null, requestId = null, retryAfter = null, cause } = fields;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AldisError';
    this.status = status;
    this.code = code;
    this.details = details;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** What an answer that is no success says. Reads its body. */
export async function errorOfAnswer(answer: Response): Promise<AldisError> {
  const { status, headers } = answer;
  const told = readBody(await answer.text().catch(() => ''));
  // On /processor/* `error` is the documented sentence; `code` is a code everywhere.
  const code = textOf(told.code)?.toLowerCase() ?? textOf(told.error) ?? `http_${status}`;
  return new AldisError(textOf(told.message) ?? `The answer was ${status}.`, {
    code,
    status,
    details: told.details as Record<string, unknown> | null | undefined,
    requestId: textOf(told.request_id) ?? headers.get('x-request-id'),
    retryAfter: secondsOf(headers.get('retry-after')),
  });
}

function readBody(text: string): ErrorBody {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    // A proxy's page, or nothing.
    return {};
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `Retry-After` has seconds; proxies write a date. */
function secondsOf(text: string | null): number | null {
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / SECOND;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

/**
 * The table of error codes: everything a client can be told went wrong. docs/errors.md is made of it, and a test holds the
 * two equal.
 */
interface ErrorEntry {
  /** HTTP status, or null for a word that only stands in the `error` of a message. */
  status: number | null;
  /** May the same request be sent again unchanged? `later`: it may succeed then. `no`: it will fail again. */
  retry: 'no' | 'later';
  /** What happened, for people. A more exact sentence may stand in its place. */
  text: string;
}

export const ERRORS = {
  malformed_json: { status: 400, retry: 'no', text: 'The body is not valid JSON.' },
  unknown_field: { status: 400, retry: 'no', text: 'The request has a field that is not known here.' },
  missing_field: { status: 400, retry: 'no', text: 'A required field is missing.' },
  invalid_field: { status: 400, retry: 'no', text: 'A field has a value that cannot be accepted.' },
  invalid_phone: {
    status: 400,
    retry: 'no',
    text: 'Phone number must be in E.164 format, like +6281234567890, or be a business-scoped user id, like ID.1A2b3C.',
  },
  mixed_spelling: {
    status: 400,
    retry: 'no',
    text: 'The request mixes snake_case and camelCase names; use one of the two.',
  },
  two_senders: { status: 400, retry: 'no', text: 'The request names two senders; give one.' },
  sender_not_connected: { status: 400, retry: 'later', text: 'WhatsApp account is not connected' },
  daily_limit_reached: { status: 400, retry: 'later', text: 'Daily message limit reached' },
  two_addressees: { status: 400, retry: 'no', text: 'The request names two addressees; give one.' },
  missing_variables: { status: 400, retry: 'no', text: 'The text has names in braces that no variable gives a value.' },
  invalid_media_url: {
    status: 400,
    retry: 'no',
    text: 'The media URL must be an absolute http or https URL of at most 2048 characters.',
  },
  malformed_form: { status: 400, retry: 'no', text: 'The body is not a whole form of type multipart/form-data.' },
  media_not_fetched: {
    status: 422,
    retry: 'later',
    text: 'The file could not be fetched from its URL.',
  },
  link_expired: { status: 410, retry: 'no', text: 'This link to a file has expired; ask for a new one.' },
  unsupported_type: { status: 400, retry: 'no', text: 'WhatsApp does not take messages or files of this type.' },
  scheduled_in_past: { status: 400, retry: 'no', text: 'scheduled_at is in the past.' },
  scheduled_too_far: { status: 400, retry: 'no', text: 'scheduled_at is more than a year ahead.' },
  too_many_items: { status: 400, retry: 'no', text: 'The batch has more than 10,000 messages.' },
  limit_too_large: { status: 400, retry: 'no', text: 'The limit is larger than this list allows.' },
  invalid_cursor: { status: 400, retry: 'no', text: 'The cursor is not one that this list gave.' },
  cursor_expired: {
    status: 410,
    retry: 'no',
    text: 'Events after this cursor are kept no longer: read the state anew, and go on from the end of the log (`now`).',
  },
  unauthorized: {
    status: 401,
    retry: 'no',
    text: 'A valid key or token is needed: Authorization: Bearer KEY-OR-TOKEN, or X-API-Key: KEY.',
  },
  invalid_signature: { status: 401, retry: 'no', text: 'The webhook signature is missing or wrong.' },
  forbidden: { status: 403, retry: 'no', text: 'The key may not do this.' },
  not_found: { status: 404, retry: 'no', text: 'There is nothing of that id or path.' },
  two_contacts: { status: 409, retry: 'no', text: 'What the request names belongs to different contacts.' },
  unknown_sender: { status: 404, retry: 'no', text: 'There is no such sender.' },
  too_many_webhooks: { status: 409, retry: 'no', text: 'The tenant has as many webhook endpoints as it may.' },
  webhook_disabled: { status: 409, retry: 'no', text: 'The webhook endpoint is disabled; enable it first.' },
  replay_runs: { status: 409, retry: 'later', text: 'A replay of this webhook endpoint runs already.' },
  already_exists: { status: 409, retry: 'no', text: 'There is one of that name already.' },
  in_use: { status: 409, retry: 'no', text: 'It is in use, so it cannot be deleted.' },
  not_cancellable: { status: 409, retry: 'no', text: 'The message can no longer be cancelled: it has left, or ended.' },
  too_late: {
    status: 409,
    retry: 'no',
    text: 'The message can no longer be changed: it has begun to leave, or has ended.',
  },
  batch_incomplete: {
    status: 409,
    retry: 'later',
    text: 'The batch of the message is still being stored; change it when it is complete.',
  },
  not_retryable: { status: 409, retry: 'no', text: 'Only a failed message can be retried.' },
  may_have_arrived: {
    status: 409,
    retry: 'no',
    text: 'The message may have arrived: nobody knows what came of an attempt. To send it again all the same, say {"accept_duplicate": true}.',
  },
  redrives_busy: { status: 429, retry: 'later', text: 'Three redrives are running already; wait for one of them.' },
  idempotency_in_progress: {
    status: 409,
    retry: 'later',
    text: 'A request with this Idempotency-Key is still being worked on.',
  },
  payload_too_large: { status: 413, retry: 'no', text: 'The body is larger than this route allows.' },
  unsupported_media_type: { status: 415, retry: 'no', text: 'The body must be JSON: Content-Type: application/json.' },
  idempotency_mismatch: {
    status: 422,
    retry: 'no',
    text: 'This Idempotency-Key was used for a request with another body.',
  },
  cannot_mark_read: {
    status: 409,
    retry: 'no',
    text: 'Only the customer can read a message that was sent by WhatsApp; what can be marked as read is inbound.',
  },
  window_closed: {
    status: 409,
    retry: 'no',
    text: 'The customer last wrote more than 24 hours ago, so WhatsApp takes only a template; send one, or give a fallback_template.',
  },
  recipient_suppressed: {
    status: 409,
    retry: 'no',
    text: 'The recipient has opted out of messages of this kind.',
  },
  unknown_template: {
    status: 400,
    retry: 'no',
    text: 'The account of the sender has no template of this name and language.',
  },
  template_unavailable: {
    status: 409,
    retry: 'later',
    text: 'The template is not approved, so WhatsApp does not send it.',
  },
  export_not_ready: { status: 409, retry: 'later', text: 'The export has no file yet: it is not complete.' },
  too_many_exports: {
    status: 409,
    retry: 'no',
    text: 'There are 100 exports already: delete one, or wait until the oldest expires.',
  },
  exports_busy: { status: 429, retry: 'later', text: 'Three exports are being written already; wait for one of them.' },
  not_participant: { status: 403, retry: 'no', text: 'The user is not in this conversation.' },
  cannot_send_messages: { status: 403, retry: 'no', text: 'The user may not write in this conversation.' },
  not_conversation_admin: {
    status: 403,
    retry: 'no',
    text: 'Only an owner or admin of the conversation may do this; owners are changed by owners.',
  },
  not_yours: { status: 403, retry: 'no', text: 'Only who wrote a message may edit or delete it.' },
  conversation_closed: {
    status: 409,
    retry: 'no',
    text: 'The conversation is closed: nobody writes there until it is opened.',
  },
  message_deleted: { status: 409, retry: 'no', text: 'The message was deleted.' },
  too_many_edits: { status: 409, retry: 'no', text: 'The message was edited 100 times already.' },
  not_supported_by_whatsapp: {
    status: 409,
    retry: 'no',
    text: 'WhatsApp lets nobody change a message that has left; only what has not left can be taken back.',
  },
  fixed_participants: { status: 409, retry: 'no', text: 'A direct conversation has its two users always.' },
  template_refused: {
    status: 400,
    retry: 'no',
    text: 'WhatsApp did not take the template. The details have what it said.',
  },
  template_not_editable: {
    status: 409,
    retry: 'later',
    text: 'WhatsApp lets the template not be changed now.',
  },
  invalid_range: { status: 416, retry: 'no', text: 'No byte of the file lies in the range that is asked for.' },
  quota_exceeded: {
    status: 429,
    retry: 'later',
    text: 'Message quota exceeded. Please upgrade your plan or wait for quota reset.',
  },
  rate_limited: { status: 429, retry: 'later', text: 'Too many requests; wait as long as Retry-After says.' },
  headers_too_large: { status: 431, retry: 'no', text: 'The head of the request is larger than this server allows.' },
  bad_request: { status: 400, retry: 'no', text: 'The request is not valid HTTP.' },
  internal: { status: 500, retry: 'later', text: 'Something went wrong here. The log has it under the request id.' },
  overloaded: { status: 503, retry: 'later', text: 'Too much is waiting already; try again in a moment.' },
  unavailable: { status: 503, retry: 'later', text: 'The database cannot be reached; try again in a moment.' },
  storage_full: {
    status: 503,
    retry: 'later',
    text: 'The disk of the database is full, so nothing new is accepted; it goes on by itself when there is room.',
  },
  send_failed: { status: 500, retry: 'later', text: 'Failed to send message' },
  quota_unchecked: {
    status: null,
    retry: 'no',
    text: 'The tenant service did not answer, so the quota was not checked; the message was accepted nevertheless.',
  },
  sent_as_template: {
    status: null,
    retry: 'no',
    text: 'The customer last wrote more than 24 hours ago, so the fallback_template is sent instead of the message.',
  },
  outcome_unknown: {
    status: null,
    retry: 'later',
    text: 'Nobody knows whether the message left, and the policy of its category is not to send it again unasked.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** The shape of every error that is answered. `error` and `code` are the same word in two spellings. */
export interface ErrorBody {
  error: string;
  code: string;
  message: string;
  details: Record<string, unknown> | null;
  request_id: string;
}

export interface ErrorOptions {
  /** The field it is about, as a path: `content.text`. */
  field?: string;
  /** More that a program may use. */
  details?: Record<string, unknown>;
  /** Seconds after which it is worth trying again. */
  retryAfter?: number;
  /** For the log. */
  cause?: unknown;
}

/** A trouble that the client is told of. Anything else that is thrown is answered as `internal` and logged. */
export class AldisError extends Error {
  override name = 'AldisError';
  readonly code: ErrorCode;
  readonly field: string | null;
  readonly details: Record<string, unknown> | null;
  readonly retryAfter: number | null;

  constructor(code: ErrorCode, message: string = ERRORS[code].text, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field ?? null;
    this.details = options.details ?? null;
    this.retryAfter = options.retryAfter ?? null;
  }

  /** The HTTP status; words that only stand in messages have none and would be 500. */
  get status(): number {
    return ERRORS[this.code].status ?? 500;
  }
}

/** The answer for an error. The field stands in the details. */
export function errorBody(error: AldisError, requestId: string): ErrorBody {
  const details = error.field === null ? error.details : { field: error.field, ...error.details };
  return { error: error.code, code: error.code.toUpperCase(), message: error.message, details, request_id: requestId };
}

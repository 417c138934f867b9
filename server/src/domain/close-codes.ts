/**
 * The codes by which a socket is closed, and what its client does then. The ranges say it, so that a client need not know them all:
 *
 * - 4000 to 4199: connect again, and resume from the last cursor.
 * - 4200 to 4499: the same, but something has to be made anew first: a token, or what was read.
 * - 4500 to 4999: do not connect again by yourself; it would end the same way.
 *
 * The model is centrifuge's `disconnect.go`. Codes below 4000 are the protocol's own (RFC 6455, 7.4.1).
 */
interface CloseEntry {
  code: number;
  /** What it is called, in metrics and as the reason in the close frame. At most 123 bytes. */
  about: string;
}

export const CLOSE_CODES = {
  shutdown: {
    code: 4000,
    about: 'This server stops. The reason has `retry_after_ms=N`: wait so long first, so that not all come at once.',
  },
  too_slow: {
    code: 4001,
    about: 'More frames waited for this client than `ws.client_buffer_size`. Nothing is lost: resume.',
  },
  no_answer: { code: 4002, about: 'Nothing was heard of the client for 30 s, not even an answer to a ping.' },
  unavailable: { code: 4003, about: 'The event log could not be read. Resume.' },
  expired: { code: 4200, about: 'The token has expired. Connect with a new one, and resume.' },
  cursor_expired: {
    code: 4201,
    about:
      'What comes after the cursor is kept no longer. Read conversations and messages anew, and connect without a cursor.',
  },
  invalid_cursor: { code: 4202, about: 'The cursor is none of this log. Go on as for 4201.' },
  refused: { code: 4500, about: 'The key was revoked, has expired, or may less than it might.' },
  replaced: {
    code: 4501,
    about: 'The same device of the same user has connected again; this socket is the older one.',
  },
  abuse: { code: 4502, about: 'The client went on sending although hundreds of its frames had been refused.' },
} as const satisfies Record<string, CloseEntry>;

export type CloseName = keyof typeof CLOSE_CODES;

/** Codes of the protocol itself that this server uses. */
export const PROTOCOL_CODES: readonly { code: number; about: string }[] = [
  { code: 1000, about: 'The client closed the socket.' },
  { code: 1002, about: 'The client broke the protocol.' },
  { code: 1003, about: 'The client sent a binary frame. Frames are text.' },
  { code: 1007, about: 'A text frame was not UTF-8.' },
  { code: 1009, about: 'A frame was larger than `ws.max_frame_size`.' },
];

const NAMES = new Map<number, string>(Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]));

/** What a code is called in metrics: our name, or the number of the protocol. */
export function closeLabel(code: number): string {
  return NAMES.get(code) ?? (code >= 1000 && code < 3000 ? String(code) : 'other');
}

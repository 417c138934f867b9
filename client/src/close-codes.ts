/**
 * What a client does when its socket is closed, as the ranges of codes say (docs/websocket.md): connect again and resume; the same with
 * new credentials; the same without the cursor, whose place is kept no longer; or nothing, for it would end the same way.
 */
export type AfterClose = 'resume' | 'renew' | 'begin_anew' | 'give_up';

/** The places that cannot be resumed from: `cursor_expired` and `invalid_cursor`. */
const LOST_PLACES: ReadonlySet<number> = new Set([4201, 4202]);

export function afterClose(code: number): AfterClose {
  if (LOST_PLACES.has(code)) return 'begin_anew';
  if (code >= 4500 && code < 5000) return 'give_up';
  return code >= 4200 && code < 4500 ? 'renew' : 'resume';
}

/** How long a reason asks to wait, in milliseconds: `retry_after_ms=1200`. */
export function waitAsked(reason: string): number {
  return Number(/\bretry_after_ms=(\d{1,7})\b/.exec(reason)?.[1] ?? 0);
}

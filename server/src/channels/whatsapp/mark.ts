import { timingSafeEqual } from 'node:crypto';
import type { MessageId } from '../../domain/ids.ts';
import { hmacSha256 } from './hmac.ts';

/**
 * The mark that we put on each attempt: Meta echoes `biz_opaque_callback_data` (at most 512 characters) in every status
 * webhook, which makes it the only handle on a request whose answer was lost. It names the message, the attempt and when
 * the attempt began, by the database's clock, and carries a tag, so that a value from elsewhere names nothing of ours.
 */
export interface Mark {
  message: MessageId;
  attempt: number;
  /** Milliseconds since 1970. */
  startedAt: number;
}

export interface Marker {
  write(mark: Mark): string;
  /** null: not a mark of ours. */
  read(text: string): Mark | null;
}

const SHAPE = /^v1\.([0-9a-f-]{36})\.([0-9a-z]{1,4})\.([0-9a-z]{1,11})\.([\w-]{16})$/;

/** Characters of the tag: 12 bytes. */
const TAG = 16;

/** Makes the writer and reader of marks. @param key at least 32 secret bytes. */
export function createMarker(key: Buffer): Marker {
  const mac = hmacSha256(key);
  const tag = (text: string) => mac(text, 'base64url').slice(0, TAG);
  // Filled and compared without waiting for anything in between, so that all calls may share them.
  const told = Buffer.alloc(TAG);
  const right = Buffer.alloc(TAG);
  return {
    write({ message, attempt, startedAt }) {
      const text = `v1.${message}.${attempt.toString(36)}.${startedAt.toString(36)}`;
      return `${text}.${tag(text)}`;
    },
    read(text) {
      const parts = SHAPE.exec(text);
      if (!parts) return null;
      const [, message = '', attempt = '', startedAt = '', given = ''] = parts;
      told.write(given, 'latin1');
      right.write(tag(text.slice(0, -TAG - 1)), 'latin1');
      if (!timingSafeEqual(told, right)) return null;
      return {
        message: message as MessageId,
        attempt: Number.parseInt(attempt, 36),
        startedAt: Number.parseInt(startedAt, 36),
      };
    },
  };
}

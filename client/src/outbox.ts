import { AldisError } from './api-error.ts';
import type { ClientFrames } from './frames.ts';

/** Frames that are answered by name: each has a `client_id`. */
export type AskingType = 'send' | 'edit' | 'delete' | 'react' | 'subscribe' | 'unsubscribe';

export interface Asking<T extends AskingType = AskingType> {
  type: T;
  payload: ClientFrames[T];
  /** Whether doing it twice is doing it once. Else a cut leaves its outcome unknown, and it is not written again. */
  repeatable: boolean;
  /** Goes before all that waits already. */
  first?: true;
}

/**
 * What waits to be written, and what was written and is not answered. A repeatable frame stays until its answer came, over any number of
 * connections; the server knows it again by its `client_id`. What is said in one conversation is said in order: the next waits for the
 * answer to the one before. So do subscriptions, of which each changes what the one before it made.
 */
export interface Outbox {
  /**
   * @returns the payload of its answer. Rejects with the code of the `error` frame; with `outbox_full`, `connection_lost` or `closed`.
   */
  push(asking: Asking): Promise<unknown>;
  /** There is a connection: everything goes. */
  open(): void;
  /** The connection broke. */
  cut(): void;
  answer(clientId: string | null, payload: unknown): void;
  /** @param retryAfter seconds after which it is tried again; null: it is not. @returns whether it was asked here. */
  refuse(clientId: string | null, error: AldisError, retryAfter: number | null): boolean;
  /** The connection broke because a frame was too large for it: that is refused, for it would break the next one too. */
  refuseLargest(): void;
  close(): void;
}

interface Entry extends Asking {
  written: boolean;
  resolve(payload: unknown): void;
  reject(error: AldisError): void;
}

/** Written and not answered, at most. */
const IN_FLIGHT = 32;

export function createOutbox(write: (type: AskingType, payload: object) => void, most: number): Outbox {
  const entries = new Map<string, Entry>();
  let open = false;
  let closed = false;
  let held: ReturnType<typeof setTimeout> | null = null;

  function flush(): void {
    if (!open || held !== null) return;
    const busy = new Set<string>();
    let flying = 0;
    for (const entry of entries.values()) {
      const line = lineOf(entry);
      if (flying >= IN_FLIGHT) return;
      if (!entry.written && (line === null || !busy.has(line))) {
        entry.written = true;
        write(entry.type, entry.payload);
      }
      if (entry.written) flying++;
      if (line !== null) busy.add(line);
    }
  }

  function take(clientId: string | null): Entry | null {
    const entry = clientId === null ? undefined : entries.get(clientId);
    if (clientId === null || entry === undefined) return null;
    entries.delete(clientId);
    return entry;
  }

  function release(): void {
    if (held !== null) clearTimeout(held);
    held = null;
  }

  return {
    push(asking) {
      const { client_id } = asking.payload;
      if (closed) return Promise.reject(new AldisError('The socket is closed; this was not done.', { code: 'closed' }));
      if (entries.has(client_id)) {
        return Promise.reject(new AldisError('This client_id waits for an answer already.', { code: 'invalid_field' }));
      }
      if (entries.size >= most && !asking.first) {
        return Promise.reject(
          new AldisError(`${most} frames wait for the connection or their answers.`, { code: 'outbox_full' }),
        );
      }
      return new Promise((resolve, reject) => {
        const waiting = asking.first ? [...entries] : [];
        for (const [clientId] of waiting) entries.delete(clientId);
        entries.set(client_id, { ...asking, written: false, resolve, reject });
        for (const [clientId, entry] of waiting) entries.set(clientId, entry);
        flush();
      });
    },
    open() {
      open = true;
      release();
      flush();
    },
    cut() {
      open = false;
      release();
      for (const [clientId, entry] of entries) {
        if (entry.written && !entry.repeatable) {
          entries.delete(clientId);
          entry.reject(
            new AldisError('The connection broke; whether this was done is not known.', { code: 'connection_lost' }),
          );
        }
        entry.written = false;
      }
    },
    answer(clientId, payload) {
      take(clientId)?.resolve(payload);
      flush();
    },
    refuse(clientId, error, retryAfter) {
      if (retryAfter === null) {
        const entry = take(clientId);
        entry?.reject(error);
        flush();
        return entry !== null;
      }
      const entry = clientId === null ? undefined : entries.get(clientId);
      if (entry === undefined) return false;
      entry.written = false;
      // Everything waits, so that what comes behind it does not overtake it.
      release();
      held = setTimeout(() => {
        held = null;
        flush();
      }, retryAfter * 1000);
      return true;
    },
    refuseLargest() {
      let largest: string | null = null;
      let size = 0;
      for (const [clientId, { written, payload }] of entries) {
        const length = JSON.stringify(payload).length;
        if (!written || length <= size) continue;
        largest = clientId;
        size = length;
      }
      take(largest)?.reject(
        new AldisError('The frame is larger than the server takes.', { code: 'payload_too_large' }),
      );
    },
    close() {
      open = false;
      closed = true;
      release();
      const waiting = [...entries.values()];
      entries.clear();
      for (const { written, reject } of waiting) {
        const about = written ? 'whether this was done is not known' : 'this was not done';
        reject(new AldisError(`The socket is closed; ${about}.`, { code: 'closed' }));
      }
    },
  };
}

/** Of what is done one after the other, the line it stands in; null: it waits for nothing. */
function lineOf({ type, payload }: Asking): string | null {
  if ('conversation_id' in payload) return `in ${payload.conversation_id}`;
  return type === 'subscribe' || type === 'unsubscribe' ? 'subscriptions' : null;
}

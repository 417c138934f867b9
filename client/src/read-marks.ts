/**
 * What the user has read, on its way to the server. A mark stands for all before it, so of each conversation only the last is kept, and many
 * in a moment are one. A receipt is not answered: it is written again after a cut unless a later pong has proved that it came.
 */
export interface ReadMarks {
  mark(conversation: string, message: string): void;
  open(): void;
  /** Writes now what is gathered. */
  flush(): void;
  cut(): void;
  /** A ping was written; its pong came. */
  pinged(): void;
  ponged(): void;
  /** The server refused one. @param retryAfter seconds after which it is written again; null: never. @returns whether it was of these. */
  refuse(clientId: string | null, retryAfter: number | null): boolean;
  close(): void;
}

interface Mark {
  message: string;
  clientId: string | null;
  /** How many pings had been written on the connection when it was. */
  pings: number;
}

/** Milliseconds in which marks are gathered. */
const GATHERED = 200;
/** Conversations that are kept in mind; the oldest are left out beyond it. */
const MOST = 1000;

export function createReadMarks(write: (payload: { message_id: string; client_id: string }) => void): ReadMarks {
  const marks = new Map<string, Mark>();
  let open = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let named = 0;
  let pings = 0;
  let pongs = 0;

  function later(ms: number): void {
    if (!open || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      flush();
    }, ms);
  }

  function flush(): void {
    if (!open) return;
    for (const mark of marks.values()) {
      if (mark.clientId !== null) continue;
      mark.clientId = `read-${++named}`;
      mark.pings = pings;
      write({ message_id: mark.message, client_id: mark.clientId });
    }
  }

  function stop(): void {
    open = false;
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }

  return {
    mark(conversation, message) {
      marks.delete(conversation);
      marks.set(conversation, { message, clientId: null, pings: 0 });
      const [oldest] = marks.keys();
      if (marks.size > MOST && oldest !== undefined) marks.delete(oldest);
      later(GATHERED);
    },
    open() {
      open = true;
      pings = pongs = 0;
      for (const mark of marks.values()) mark.clientId = null;
      flush();
    },
    flush,
    cut: stop,
    pinged() {
      pings++;
    },
    ponged() {
      pongs++;
      for (const [conversation, mark] of marks) {
        if (mark.clientId !== null && mark.pings < pongs) marks.delete(conversation);
      }
    },
    refuse(clientId, retryAfter) {
      for (const [conversation, mark] of marks) {
        if (clientId === null || mark.clientId !== clientId) continue;
        if (retryAfter === null) marks.delete(conversation);
        else mark.clientId = null;
        if (retryAfter !== null) later(retryAfter * 1000);
        return true;
      }
      return false;
    },
    close() {
      stop();
      marks.clear();
    },
  };
}

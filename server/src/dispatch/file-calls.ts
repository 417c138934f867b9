import type { BegunSend } from '../actions/begin-sends.ts';
import type { WhatsAppSender } from '../domain/channel.ts';
import type { SenderId } from '../domain/ids.ts';
import { isLostUpload } from '../domain/media-upload.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ProviderFile, ProviderMedia } from './provider-media.ts';

/** Calls that name files: the provider has to have them first. */
export interface FileCalls {
  /**
   * Makes a call that names files by the provider's ids. Those that the provider has lost are uploaded anew, once. An attempt whose
   * grace is nearly over may be taken for doubtful, and be followed by another: its call begins no more.
   * @param media our ids of the files.
   * @param stop asked right before the first byte leaves: a reason means that it must not.
   * @param call makes the call itself, by the provider's id of each file.
   */
  make(
    send: BegunSend,
    sender: WhatsAppSender,
    media: readonly string[],
    stop: () => string | null,
    call: (ids: ReadonlyMap<string, string>, stop: () => string | null) => Promise<Outcome>,
  ): Promise<Outcome>;
}

export interface FileCallsOptions {
  media: ProviderMedia;
  clock: Clock;
  /** Most calls under way at once. */
  maxInFlight: number;
  /** Milliseconds until an attempt without an answer becomes doubtful. */
  grace: number;
  /** Told that too many messages of a sender wait: it begins nothing until `resume`. */
  pause: (sender: SenderId) => void;
  resume: (sender: SenderId) => void;
}

/** The part of the room for calls that one sender's messages may have that wait for their files to be uploaded. */
const UPLOAD_SHARE = 1 / 4;
/** A call that had to wait for its file begins only while so much of its grace is left. */
const LEAST_GRACE = 1 / 10;
const NOT_READY = 'the file of the message was not ready in time';

export function createFileCalls({ media, clock, maxInFlight, grace, pause, resume }: FileCallsOptions): FileCalls {
  const most = Math.max(1, Math.floor(maxInFlight * UPLOAD_SHARE));
  /** How many messages of a sender wait for their files. */
  const awaiting = new Map<SenderId, number>();

  /**
   * Waits until files are with the provider, or the time is over; the uploads go on for the next attempt. A sender of which too
   * many wait begins nothing more until some have theirs: others need the room too.
   * @returns the files by our ids of them, or the outcome of the attempt.
   */
  async function waitForFiles(
    send: BegunSend,
    sender: WhatsAppSender,
    named: readonly string[],
    until: number,
  ): Promise<Map<string, ProviderFile> | Outcome> {
    const files = new Map<string, ProviderFile>();
    for (const id of named) {
      const known = media.known(sender, id, send.attempt);
      if (known) files.set(id, known);
    }
    const missing = named.filter((id) => !files.has(id));
    if (missing.length === 0) return files;
    const count = (awaiting.get(sender.id) ?? 0) + 1;
    awaiting.set(sender.id, count);
    if (count >= most) pause(sender.id);
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<Outcome[]>((resolve) => {
      timer = setTimeout(resolve, until - clock.monotonic(), [{ kind: 'not_sent', detail: NOT_READY, own: true }]);
    });
    try {
      const finding = Promise.all(missing.map((id) => media.find(sender, id, send.attempt)));
      for (const [place, found] of (await Promise.race([finding, over])).entries()) {
        if (found.kind !== 'ready') return found;
        files.set(missing[place] ?? '', found);
      }
      return files;
    } finally {
      clearTimeout(timer);
      const left = (awaiting.get(sender.id) ?? 1) - 1;
      if (left === 0) awaiting.delete(sender.id);
      else awaiting.set(sender.id, left);
      if (left === most - 1) resume(sender.id);
    }
  }

  return {
    async make(send, sender, named, stop, call) {
      const since = Date.now();
      const until = clock.monotonic() + grace * (1 - LEAST_GRACE);
      const late = () => stop() ?? (clock.monotonic() > until ? NOT_READY : null);
      for (let again = false; ; again = true) {
        const files = await waitForFiles(send, sender, named, until);
        if (!(files instanceof Map)) return files;
        const outcome = await call(new Map([...files].map(([own, { id }]) => [own, id])), late);
        if (!isLostUpload(outcome)) return outcome;
        for (const [own, { id }] of files) await media.forget(sender, own, id);
        // All were uploaded for this very call: other uploads would fare no better.
        if (again || [...files.values()].every(({ uploadedAt }) => uploadedAt >= since)) return outcome;
      }
    },
  };
}

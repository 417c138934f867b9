/** Milliseconds to wait before a try: between 0 and `first` doubled at each failure, at most `most`. Full jitter, so that thousands spread. */
export function backOff(failures: number, first: number, most: number, random: () => number): number {
  return random() * Math.min(most, first * 2 ** Math.min(failures, 30));
}

/** Resolves after some milliseconds, or at once when the signal is aborted. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

/** A name that nobody else makes: 128 random bits. `crypto.randomUUID` is there on secure pages only. */
export function newName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

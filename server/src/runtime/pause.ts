/** The rest of a loop between two looks: over after a time, or at once when something wakes it. One loop waits at a time. */
export interface Pause {
  /** Resolves after `ms` milliseconds or at the next wake; at once when one came since `reset`. Never rejects. */
  wait(ms: number): Promise<void>;
  /** Ends the wait. With nobody waiting it is kept for the next one, so that none is lost in between. */
  wake(): void;
  /** Forgets the wakes so far. Called before looking: what comes while the loop looks makes it look again. */
  reset(): void;
}

/** Makes a pause that nothing has woken yet. */
export function createPause(): Pause {
  let woken = false;
  let end: (() => void) | undefined;
  return {
    wait(ms) {
      if (woken) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done(): void {
          clearTimeout(timer);
          end = undefined;
          resolve();
        }
        end = done;
      });
    },
    wake() {
      woken = true;
      end?.();
    },
    reset() {
      woken = false;
    },
  };
}

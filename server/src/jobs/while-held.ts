/** Milliseconds that what a job has taken is its own without a sign of life: what a dead one had is anybody's soon. */
export const HELD_FOR = 15_000;
/** How often in that time it gives one: some may be lost. */
const SIGNS = 5;

/**
 * Does some work, and renews meanwhile the claim on what it is about. A renewal that fails is left out: should all fail, another
 * may take the work up, and whoever settles first wins. None is under way any more when this resolves.
 * @param renew claims for `heldFor` milliseconds from now.
 */
export async function whileHeld<T>(
  renew: () => Promise<unknown>,
  work: () => Promise<T>,
  heldFor: number = HELD_FOR,
): Promise<T> {
  let renewal = Promise.resolve();
  let underWay = false;
  async function once(): Promise<void> {
    underWay = true;
    await renew().catch(() => {});
    underWay = false;
  }
  const timer = setInterval(() => {
    if (!underWay) renewal = once();
  }, heldFor / SIGNS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewal;
  }
}

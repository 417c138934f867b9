/** What somebody may do so often: `rate` a second on average, `burst` at once. */
export interface Allowance {
  rate: number;
  burst: number;
}

/** What is left of it, and when that was so (milliseconds of the monotonic clock; 0: it is whole). */
export interface Credit {
  credit: number;
  creditAt: number;
}

/** Takes one away if there is one. @returns 0, or the milliseconds until there is one again. */
export function spendCredit(of: Credit, { rate, burst }: Allowance, now: number): number {
  of.credit = of.creditAt === 0 ? burst : Math.min(burst, of.credit + ((now - of.creditAt) / 1000) * rate);
  of.creditAt = now;
  if (of.credit < 1) return Math.ceil(((1 - of.credit) / rate) * 1000);
  of.credit--;
  return 0;
}

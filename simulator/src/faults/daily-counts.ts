const DAY = 86_400_000;
/** Marketing templates to one user in 24 hours. Meta's own number adapts to the user and is not told. */
const MARKETING_A_DAY = 2;
const MAX_USERS = 500_000;

/** Whom each portfolio wrote to first within a day, and who got marketing. Bounded: the oldest are forgotten. */
export class DailyCounts {
  /** By portfolio: users, in the order in which they were last written to first. */
  readonly #users = new Map<string, Map<string, number>>();
  readonly #marketing = new Map<string, number[]>();

  /** Counts a user of a portfolio. False: he would be one too many. */
  reach(portfolioId: string, user: string, now: number, most: number): boolean {
    const users = this.#users.get(portfolioId) ?? new Map<string, number>();
    this.#users.set(portfolioId, users);
    for (const [known, at] of users) {
      if (now - at < DAY && users.size < MAX_USERS) break;
      users.delete(known);
    }
    if (!users.has(user) && users.size >= most) return false;
    users.delete(user);
    users.set(user, now);
    return true;
  }

  /** Counts a marketing template to a user. False: he had enough. */
  market(user: string, now: number): boolean {
    const times = (this.#marketing.get(user) ?? []).filter((at) => now - at < DAY);
    if (times.length >= MARKETING_A_DAY) return false;
    this.#marketing.delete(user);
    this.#marketing.set(user, [...times, now]);
    if (this.#marketing.size > MAX_USERS) {
      for (const oldest of this.#marketing.keys()) {
        this.#marketing.delete(oldest);
        break;
      }
    }
    return true;
  }

  clear(): void {
    this.#users.clear();
    this.#marketing.clear();
  }
}

/** The most users that a number may block (.../block-users). */
const MOST_BLOCKED = 64_000;

/** The users whom each number lets write no more: digits of a phone number, or a user id. */
export class BlockedUsers {
  readonly #blocked = new Map<string, Set<string>>();

  of(phoneNumberId: string): string[] {
    return [...(this.#blocked.get(phoneNumberId) ?? [])];
  }

  has(phoneNumberId: string, user: string | undefined): boolean {
    return user !== undefined && this.#blocked.size > 0 && this.#blocked.get(phoneNumberId)?.has(user) === true;
  }

  /** Whether there was room. */
  add(phoneNumberId: string, user: string): boolean {
    const users = this.#blocked.get(phoneNumberId) ?? new Set<string>();
    if (users.size >= MOST_BLOCKED && !users.has(user)) return false;
    users.add(user);
    this.#blocked.set(phoneNumberId, users);
    return true;
  }

  remove(phoneNumberId: string, user: string): void {
    const users = this.#blocked.get(phoneNumberId);
    users?.delete(user);
    if (users?.size === 0) this.#blocked.delete(phoneNumberId);
  }

  clear(): void {
    this.#blocked.clear();
  }
}

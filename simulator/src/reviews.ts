const MAX_REMEMBERED = 10_000;

/** What the review of each account came to. An account of which nothing was said is approved. */
export class Reviews {
  readonly #decisions = new Map<string, string>();

  of(wabaId: string): string {
    return this.#decisions.get(wabaId) ?? 'APPROVED';
  }

  set(wabaId: string, decision: string): void {
    if (this.#decisions.size < MAX_REMEMBERED || this.#decisions.has(wabaId)) this.#decisions.set(wabaId, decision);
  }

  clear(): void {
    this.#decisions.clear();
  }
}

import type { Clock } from '../runtime/clock.ts';
import { createExpiringCache } from './expiring-cache.ts';

/** Questions to another service: what was answered is believed for a time, and several who ask the same share one call. */
export interface AskedOnce<Answer> {
  /** What is believed now. */
  known(key: string): Answer | undefined;
  /** The answer that is believed or under way, else that of `question`. A question that fails is not remembered. */
  ask(key: string, question: () => Promise<Answer>): Promise<Answer>;
}

export interface AskedOnceOptions {
  /** Milliseconds an answer is believed. */
  ttl: number;
  /** Most answers that are remembered. */
  limit: number;
  clock: Clock;
}

export function createAskedOnce<Answer>(options: AskedOnceOptions): AskedOnce<Answer> {
  const answers = createExpiringCache<{ answer: Answer }>(options);
  const underWay = new Map<string, Promise<Answer>>();
  return {
    known: (key) => answers.get(key)?.answer,
    async ask(key, question) {
      const known = answers.get(key);
      if (known) return known.answer;
      let call = underWay.get(key);
      if (call === undefined) {
        call = question()
          .then((answer) => {
            answers.set(key, { answer });
            return answer;
          })
          .finally(() => underWay.delete(key));
        underWay.set(key, call);
      }
      return call;
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type AskOptions, type LoadClient, openLoad } from '../src/load.ts';
import type { Credentials } from '../src/product.ts';
import { newCustomer } from '../src/requests.ts';

/**
 * A client that does what the documentation asks: it marks each request with an `Idempotency-Key` and repeats it, with
 * the same key and body, until it is acknowledged. The server may die under it at any time.
 */
export interface CarefulClient extends AsyncDisposable {
  /** Where the server is now: at each start it is somewhere else. */
  connect(credentials: Credentials): Promise<void>;
  /** Where the server is now. */
  url(): string;
  /** Sends one message, to somebody new if nobody is named; resolves when it is acknowledged. `text` tells it apart at the provider. */
  send(text: string, to?: string): Promise<void>;
  /** Sends a batch under one key. */
  sendBatch(texts: readonly string[]): Promise<void>;
  /** Any request, repeated until it is answered so that `done` says so; without it, as long as the answer is 5xx. */
  ask(path: string, options?: AskOptions, done?: (answer: Answer) => boolean): Promise<Answer>;
  /** Any GET, repeated until it is answered. */
  get(path: string): Promise<Answer>;
  /** Ids by text. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Two answers to one key that name different messages, in words. */
  readonly contradictions: readonly string[];
  /** Requests that had to be repeated. */
  readonly repeats: number;
}

const REPEAT_AFTER_MS = 50;
/**
 * A request is given up, and the drill with it, when it is not answered for that long. While failpoints are visited the server may
 * never live long enough for one that was made at the first of them: all visits have to fit.
 */
const PATIENCE_MS = 240_000;

export function carefulClient(sender: string, connections = 64): CarefulClient {
  const acknowledged = new Map<string, string>();
  const contradictions: string[] = [];
  let load: LoadClient | null = null;
  let repeats = 0;
  let at = '';

  async function persist(path: string, options: AskOptions, done: (answer: Answer) => boolean): Promise<Answer> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      let last: unknown;
      try {
        if (load) {
          const answer = await load.ask(path, options);
          if (done(answer)) return answer;
          last = answer;
        }
      } catch (error) {
        // Refused, cut, or not answered: exactly what the key is for.
        last = error;
      }
      if (performance.now() > end) throw new Error(`${path} was not answered in time`, { cause: last });
      repeats++;
      await sleep(REPEAT_AFTER_MS);
    }
  }

  const post = async (path: string, key: string, body: unknown): Promise<unknown> => {
    const options = { method: 'POST', body: JSON.stringify(body), headers: { 'idempotency-key': key } } as const;
    // 409: the first try is still being worked on. 429 and 5xx: later. Any other answer would never change.
    const final = ({ status }: Answer): boolean => status < 500 && status !== 409 && status !== 429;
    const answer = await persist(path, options, final);
    if (answer.status !== 202) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const acknowledge = (text: string, id: string): void => {
    const before = acknowledged.get(text);
    if (before !== undefined && before !== id) contradictions.push(`"${text}" is ${before} and ${id}`);
    acknowledged.set(text, id);
  };
  const bodyOf = (text: string, to = newCustomer()) => ({ recipient_phone: to, sender_id: sender, content: { text } });

  return {
    async connect(credentials) {
      const before = load;
      at = credentials.url;
      load = openLoad(credentials.url, connections, { authorization: `Bearer ${credentials.api_key}` });
      // Its requests end by themselves: the server they went to is gone.
      Promise.resolve(before?.[Symbol.asyncDispose]()).catch(() => {});
    },
    url: () => at,
    async send(text, to) {
      const { id } = (await post('/api/v1/messages', text, bodyOf(text, to))) as { id: string };
      acknowledge(text, id);
    },
    async sendBatch(texts) {
      const [first = ''] = texts;
      const body = { messages: texts.map((text) => bodyOf(text)) };
      const answer = (await post('/api/v1/messages/batch', `batch ${first}`, body)) as BatchAnswer;
      for (const { index, id } of answer.messages) acknowledge(texts[index] ?? `index ${index}`, id);
      for (const { index, message } of answer.errors) contradictions.push(`item ${index} refused: ${message}`);
    },
    ask: (path, options = {}, done = wasAnswered) => persist(path, options, done),
    get: (path) => persist(path, {}, wasAnswered),
    acknowledged,
    contradictions,
    get repeats() {
      return repeats;
    },
    async [Symbol.asyncDispose]() {
      await load?.[Symbol.asyncDispose]();
    },
  };
}

function wasAnswered({ status }: Answer): boolean {
  return status < 500;
}

interface BatchAnswer {
  messages: { index: number; id: string }[];
  errors: { index: number; message: string }[];
}

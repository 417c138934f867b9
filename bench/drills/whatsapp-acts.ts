import type { Answer } from '../src/load.ts';
import type { Simulator } from '../src/simulator.ts';
import { until } from '../src/wait.ts';
import type { CarefulClient } from './careful-client.ts';
import type { Random } from './random.ts';
import type { Book, Promised } from './whatsapp-book.ts';

/** Where the drill's numbers are. */
export interface Place {
  sender: string;
  number: string;
  account: string;
}

export interface Stage {
  client: CarefulClient;
  simulator: Simulator;
  random: Random;
  seed: number;
  book: Book;
  /** The number that everything goes to and comes from. */
  main: Place;
  /** A number whose templates the provider calls paused now and then. */
  paused: Place;
  /** A number whose account changes its portfolio and its token now and then. */
  moving: Place;
  /** Each is read and written whole. */
  mostExports: number;
  operatorKey: () => string;
}

/** Those that stand for themselves. */
export type ActName = Exclude<keyof ReturnType<typeof createActs>, 'fill' | 'calm' | 'trickle'>;

const HELLO = { name: 'hello_world', language: 'en_US' };
const OFFER = { name: 'welcome_message', language: 'en' };
/** The smallest picture there is; what follows its end makes it another file. */
const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgaGAAAAEEAIG4GY0uAAAAAElFTkSuQmCC';
/** Milliseconds. */
const SOON = 1500;
const YEAR = 365 * 86_400_000;
const BATCH = 10_000;

/** What happens in the drill, an act each. Each resolves when all of it was acknowledged, however often the server dies before. */
export function createActs(stage: Stage) {
  const { client, simulator, random, seed, book, main, paused, moving } = stage;
  let n = 0;
  let exports = 0;
  const next = (): number => n++;
  /** A customer of whom nobody has heard yet. */
  const newcomer = (): string => `+62813${String(seed % 100).padStart(2, '0')}${String(next()).padStart(6, '0')}`;
  const picture = (): Buffer => Buffer.concat([Buffer.from(PICTURE, 'base64'), Buffer.from(`${seed} ${next()}`)]);
  const post = (
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    method: 'POST' | 'PATCH' = 'POST',
  ) =>
    client.ask(
      path,
      { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
      ({ status }) => status < 500 && status !== 429,
    );
  const expect = (answer: Answer, what: string, ...statuses: number[]): void => {
    if (statuses.includes(answer.status)) return;
    book.contradictions.push(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  };

  async function send(to: string, message: object, promised: Omit<Promised, 'to'>, sender = main.sender) {
    const body = { to, sender_id: sender, ...message };
    // 409 is also "the first try is still being worked on".
    const options = {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'idempotency-key': `${seed} ${next()}` },
    } as const;
    const answer = await client.ask(
      '/api/v1/messages',
      options,
      (one) =>
        one.status < 500 && one.status !== 429 && (one.status !== 409 || errorOf(one) === 'recipient_suppressed'),
    );
    // Repeated until its time has passed, and never accepted before, it is refused.
    if (errorOf(answer) === 'scheduled_in_past') return;
    expect(answer, `a message to ${to}`, 202);
    if (answer.status === 202) book.messages.set((answer.body as { id: string }).id, { to, ...promised });
  }
  const sendTemplate = (to: string, more: object = {}, sender?: string) =>
    send(to, { template: HELLO, ...more }, { arrives: ['template'], ends: 'sent' }, sender);
  const later = (): { scheduled_at: string } => ({ scheduled_at: new Date(Date.now() + SOON).toISOString() });

  async function heard(act: Record<string, unknown>, size: number | null = null): Promise<void> {
    book.received.set(await simulator.customerDoes({ phone_number_id: main.number, ...act }), size);
  }

  async function makeTemplate(): Promise<string> {
    const name = `drill_${seed}_${next()}`;
    const components = [{ type: 'BODY', text: 'Your order is on its way.' }];
    const body = { account_id: main.account, name, language: 'en_US', category: 'utility', components };
    // Repeated it is 409: there is one, and that is what was asked for.
    expect(await post('/api/v1/templates', body), `template ${name}`, 201, 202, 409);
    book.templates.add(name);
    return name;
  }

  return {
    plain: () => sendTemplate(newcomer()),

    /** A customer sends a file that nobody has seen. */
    async fileIn() {
      const bytes = picture();
      const media = { data: bytes.toString('base64'), mime_type: 'image/png' };
      await heard({ from: newcomer(), type: 'image', media }, bytes.length);
    },

    /** A file is uploaded here, and sent to two customers. */
    async fileOut() {
      const form = formOf(picture());
      const answer = await client.ask('/api/v1/media', { method: 'POST', ...form });
      expect(answer, 'an upload', 200, 201);
      const { id } = answer.body as { id: string };
      for (const to of [newcomer(), newcomer()]) {
        await heard({ from: to, text: 'A picture, please' });
        await send(to, { content: { media_id: id } }, { arrives: ['image'], ends: 'sent' });
      }
    },

    /** The provider calls a template paused that is approved here; `calm` lets it go on. */
    async held() {
      const rules = [{ kind: 'error', code: 132_015, phone_number_id: paused.number }];
      await simulator.control('PUT', 'faults', { rules });
      await sendTemplate(newcomer(), {}, paused.sender);
    },

    /** A template is made, paused, sent and resumed. */
    async pausedTemplate() {
      const name = await makeTemplate();
      const about = { waba_id: main.account, name, language: 'en_US' };
      await until(
        `template ${name} to be approved`,
        async () => {
          const { body } = await client.get(`/api/v1/templates?name=${name}`);
          return (body as { templates: { status: string }[] }).templates[0]?.status === 'APPROVED' || null;
        },
        { deadlineMs: 120_000, everyMs: 100 },
      );
      await simulator.control('POST', 'templates', { ...about, event: 'PAUSED' });
      for (const more of [{}, later()]) {
        const message = { template: { name, language: 'en_US' }, ...more };
        await send(newcomer(), message, { arrives: ['template'], ends: 'sent' });
      }
      await simulator.control('POST', 'templates', { ...about, event: 'APPROVED' });
    },

    async template() {
      await makeTemplate();
    },

    /** Somebody opts out while messages to him wait, or are in doubt; what is sent to him then is refused. */
    async optOut() {
      // Every other time the first call is cut, so that nobody knows whether it arrived.
      const inDoubt = random.integer(0, 1) === 1;
      const to = inDoubt ? `+199960${String(next() % 100_000).padStart(5, '0')}` : newcomer();
      await send(to, { template: HELLO }, { arrives: ['template'], ends: 'either' });
      await send(to, { template: OFFER, ...later() }, { arrives: ['template'], ends: 'either' });
      const answer = await post('/api/v1/consents', { phone: to, scope: 'all', state: 'out' });
      expect(answer, `the opt-out of ${to}`, 201);
      book.optedOut.set(to, Date.now());
      const message = { to, sender_id: main.sender, template: HELLO };
      expect(await post('/api/v1/messages', message), `a message to ${to}, who opted out,`, 409);
    },

    /** Somebody writes the word for it. */
    async saysStop() {
      const from = newcomer();
      await heard({ from, text: 'STOP' });
      book.saidStop.add(from);
    },

    /** A text outside the customer's window: the provider takes it, tells that it failed, and the fallback goes. */
    fallback: () =>
      send(
        newcomer(),
        { content: { text: 'Hello' }, fallback_template: HELLO },
        { arrives: ['text', 'template'], ends: 'sent' },
      ),

    /** The same, told at once; this number fails the fallback too. */
    fallbackAtOnce: () =>
      send('+19990131047', { content: { text: 'Hello' }, fallback_template: HELLO }, { arrives: [], ends: 'failed' }),

    /** A message fails, and all that failed so are sent again. */
    async redrive() {
      await send('+19990131026', { template: HELLO }, { arrives: [], ends: 'failed' });
      expect(await post('/api/v1/dead-letters/redrive', { filter: { error_code: 131_026 } }), 'a redrive', 202);
    },

    async export() {
      if (++exports > stage.mostExports) return;
      const before = new Set([...book.messages.keys(), ...book.filler]);
      const body = { kind: 'messages', format: 'jsonl', filter: { direction: 'outbound' } };
      const answer = await post('/api/v1/exports', body);
      expect(answer, 'an export', 202);
      if (answer.status === 202) book.exports.set((answer.body as { id: string }).id, before);
    },

    async block() {
      const phone = newcomer();
      // Only who has written can be blocked.
      await heard({ from: phone, text: 'Buy this!' });
      const made = await post('/api/v1/contacts', { phone });
      expect(made, 'a contact', 200, 201);
      const { id } = made.body as { id: string };
      expect(await post(`/api/v1/contacts/${id}/block`, { sender_id: main.sender }), 'a block', 202);
      book.blocked.add(phone);
    },

    async account() {
      const id = String(400_000_000_000_000 + seed * 1000 + next());
      await simulator.control('POST', 'numbers', { phone_number_id: id, waba_id: id, portfolio_id: id });
      expect(await post('/api/v1/accounts', { id, access_token: 'any' }), `account ${id}`, 202, 409);
      book.numbers.add(id);
    },

    /** An account's numbers go to another portfolio, hence lane, and it gets another token, while messages wait. */
    async move() {
      await Promise.all([0, 1, 2].map(() => sendTemplate(newcomer(), later(), moving.sender)));
      const portfolio_id = String(500_000_000_000_000 + next());
      await simulator.control('PATCH', 'numbers', { phone_number_id: moving.number, portfolio_id });
      expect(await post(`/api/v1/accounts/${moving.account}/sync`), 'a sync', 202);
      const token = { access_token: `token-${next()}` };
      expect(await post(`/api/v1/accounts/${moving.account}`, token, {}, 'PATCH'), 'a new token', 200);
    },

    syncTemplates: async () =>
      expect(await post('/api/v1/templates/sync', { account_id: main.account }), 'a sync of templates', 202),

    async reseal() {
      const answer = await post('/api/v1/secrets/rotate', undefined, {
        authorization: `Bearer ${stage.operatorKey()}`,
      });
      expect(answer, 'new keys for secrets', 200);
      const { failed = 0 } = answer.body as { failed?: number };
      if (failed > 0) book.contradictions.push(`${failed} secrets could not be sealed anew`);
    },

    /** Makes the exports as long as is wanted: messages for next year. */
    async fill(count: number) {
      for (let from = 0; from < count; from += BATCH) {
        const messages = Array.from({ length: Math.min(BATCH, count - from) }, () => ({
          to: newcomer(),
          sender_id: main.sender,
          template: HELLO,
          scheduled_at: new Date(Date.now() + YEAR).toISOString(),
        }));
        const { body } = await post(
          '/api/v1/messages/batch',
          { messages },
          { 'idempotency-key': `${seed} fill ${from}` },
        );
        for (const { id } of (body as { messages: { id: string }[] }).messages) book.filler.add(id);
      }
    },

    /** Ends what the acts have laid on the provider. */
    calm: () => simulator.control('DELETE', 'faults'),

    /** A message from each number, so that receipts flow. */
    async trickle() {
      for (const [i, { sender }] of [main, paused, moving].entries()) {
        const to = `+6281900000${String(i).padStart(2, '0')}`;
        book.trickle.add(to);
        expect(await post('/api/v1/messages', { to, sender_id: sender, template: HELLO }), 'a message', 202);
      }
    },
  };
}

function errorOf({ body }: Answer): string | undefined {
  return (body as { error?: string }).error;
}

function formOf(file: Buffer): { body: Buffer; headers: Record<string, string> } {
  const boundary = 'aldis-drill';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="dot.png"\r\nContent-Type: image/png\r\n\r\n`;
  return {
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  };
}

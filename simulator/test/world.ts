import type { TestContext } from 'node:test';
import { isObject, type JsonObject } from '../src/json.ts';
import { DEFAULT_NUMBER } from '../src/numbers.ts';
import { type SimulatorOptions, startSimulator } from '../src/simulator.ts';
import { APP_SECRET, type Receiver, startReceiver, VERIFY_TOKEN } from './receiver.ts';

export interface Answer {
  status: number;
  body: JsonObject;
  text: string;
}

/** A simulator, somebody who receives its webhooks, and ways to talk to both. */
export interface World {
  url: string;
  receiver: Receiver;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends to a number, a text unless `message` says otherwise. */
  send(to: string, message?: JsonObject): Promise<Answer>;
  /** The id in the answer to a send. */
  wamid(answer: Answer): string;
}

/** Times short enough for tests, and one webhook after the other, so that their order is certain. */
const QUICK = { sent_after: 5, delivered_after: 20, read_after: 40, template_review_ms: 5, webhook_concurrency: 1 };

/** Starts a world that ends with the test. Registers the receiver unless `registered` is false. */
export async function startWorld(test: TestContext, options: SimulatorOptions = {}, registered = true): Promise<World> {
  const receiver = await startReceiver();
  const simulator = await startSimulator({ log: () => {}, ...options, settings: { ...QUICK, ...options.settings } });
  test.after(async () => {
    await simulator.close();
    await receiver.close();
  });
  const world: World = {
    url: simulator.url,
    receiver,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(simulator.url + path, {
        method,
        headers: { authorization: 'Bearer token', 'content-type': 'application/json', ...headers },
        body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, text, body: parse(text) };
    },
    send: (to, message = {}) =>
      world.call('POST', `/v26.0/${DEFAULT_NUMBER.phone_number_id}/messages`, {
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        to,
        type: 'text',
        text: { body: 'Hello' },
        ...message,
      }),
    wamid: (answer) => {
      const [message] = Array.isArray(answer.body.messages) ? answer.body.messages : [];
      if (!isObject(message) || typeof message.id !== 'string') throw new Error(`no id in ${answer.text}`);
      return message.id;
    },
  };
  if (registered) await register(world);
  return world;
}

/** Lets the world's receiver have the webhooks. */
export function register(world: World, url: string = world.receiver.url): Promise<Answer> {
  return world.call('POST', '/_simulator/webhooks', { url, app_secret: APP_SECRET, verify_token: VERIFY_TOKEN });
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

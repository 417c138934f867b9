import { providerClient } from '../../server/src/net/provider-client.ts';

/** A text, and who sends it to whom. */
export interface Text {
  number: string;
  to: string;
  text: string;
}

/** As Aldis has them: calls under way of one tenant, and connections. */
export const AT_ONCE = 192;
export const CONNECTIONS = 256;

/** Sends by the client that Aldis sends by, with the same headers and body. Gives the provider's id. @throws {Error} without one */
export function openCalls(provider: string): (message: Text) => Promise<string> {
  const client = providerClient({ origin: provider, connections: CONNECTIONS, timeout: 15_000 });
  const headers = { authorization: 'Bearer simulated', 'content-type': 'application/json' };
  const stop = () => null;
  return async ({ number, to, text }) => {
    const { status, body } = await client.post({
      path: `/v26.0/${number}/messages`,
      headers,
      body: JSON.stringify({
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        to,
        type: 'text',
        text: { body: text },
      }),
      stop,
    });
    const answer = JSON.parse(body) as { messages?: { id?: string }[] };
    const id = answer.messages?.[0]?.id;
    if (status !== 200 || id === undefined) throw new Error(`the provider answered ${status}: ${body}`);
    return id;
  };
}

/** The `i`th of some texts. */
export function textOf(i: number): Text {
  return {
    number: String(200_000_000_000_000 + (i % 40)),
    to: `+62${81_000_000_000 + i}`,
    text: `Hello number ${i}, your order has been shipped and will be with you soon.`,
  };
}

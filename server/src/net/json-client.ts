import { request } from 'undici';

export interface JsonAnswer {
  status: number;
  /** As it came: JSON where the other side keeps its word. */
  text: string;
}

/** Characters. What is longer is no answer of a service. */
const LONGEST_ANSWER = 1 << 20;

/**
 * Asks an address that the operator named, once, without following redirects. With a body it is a POST of JSON, unless
 * another method is named.
 * @param timeout milliseconds for the whole exchange.
 * @param headers beside those that tell of the body.
 * @param signal ends it early.
 * @throws when no answer comes, or none that ends within 1 MiB.
 */
export async function askJson(
  url: URL,
  timeout: number,
  body?: object,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
  method: 'GET' | 'POST' | 'DELETE' = body ? 'POST' : 'GET',
): Promise<JsonAnswer> {
  const over = AbortSignal.timeout(timeout);
  const { statusCode, body: answer } = await request(url, {
    signal: signal ? AbortSignal.any([over, signal]) : over,
    method,
    headers,
    ...(body && {
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' },
    }),
  });
  let text = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > LONGEST_ANSWER) throw new Error('the answer is longer than 1 MiB');
  }
  return { status: statusCode, text };
}

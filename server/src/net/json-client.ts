import { request } from 'undici';

export interface JsonAnswer {
  status: number;
  /** As it came: JSON where the other side keeps its word. */
  text: string;
}

/**
 * Asks an address that the operator named, once, without following redirects. With a body it is a POST of JSON.
 * @param timeout milliseconds for the whole exchange.
 * @param headers beside those that tell of the body.
 * @throws when no answer comes.
 */
export async function askJson(
  url: URL,
  timeout: number,
  body?: object,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  const { statusCode, body: answer } = await request(url, {
    signal: AbortSignal.timeout(timeout),
    headers,
    ...(body && {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' },
    }),
  });
  return { status: statusCode, text: await answer.text() };
}

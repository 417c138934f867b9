import { AldisError } from '../domain/errors.ts';
import type { HttpRequest } from './typebox-provider.ts';

/** A name or an address, with or without a port, and nothing else that a URL may hold before its path. */
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Where a request came to, `https://api.example:8443`: for links that lead back here.
 * @throws {AldisError} `invalid_field` when its Host header is none.
 */
export function requestOrigin({ protocol, host }: Pick<HttpRequest, 'protocol' | 'host'>): string {
  const origin = `${protocol}://${host}`;
  if (HOST.test(host) && URL.canParse(origin)) return origin;
  throw new AldisError('invalid_field', 'The Host header names no host.', { field: 'Host' });
}

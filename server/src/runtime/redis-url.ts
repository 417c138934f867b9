import type { Config } from './settings.ts';

/**
 * The address of Redis as its client takes it, `redis[s]://user:password@host:port/db`, however it was named; null: there is none.
 * What an address lacks comes from the settings beside it.
 */
export function redisAddress({ url, host, port, user, password, db }: Config['redis']): string | null {
  if (url === null && host === null) return null;
  const address = url ?? (host?.includes(':') ? `[${host}]` : host);
  const whole = new URL(address?.includes('://') ? address : `redis://${address}`);
  // Of tcp://ADDRESS:PORT too, which a cluster sets for a service of that name.
  if (whole.port === '') whole.port = port.slice(port.lastIndexOf(':') + 1);
  if (whole.username === '' && user !== null) whole.username = encodeURIComponent(user);
  if (whole.password === '' && password) whole.password = encodeURIComponent(password);
  if (whole.pathname === '' || whole.pathname === '/') whole.pathname = `/${db}`;
  return whole.href;
}

import { LAYERS, type Source } from './config-layer.ts';

/** The parts of a database's address, as `database.*` has them. */
export interface DatabaseParts {
  url: string | null;
  host: string | null;
  port: number;
  name: string;
  user: string | null;
  password: string | null;
  ssl: string;
}

/** The address to use, and whether it was put together of the parts. */
export interface DatabaseAddress {
  url: string | null;
  of: 'url' | 'parts' | 'none';
  problem: string | null;
}

/**
 * The address of the database: the one that is named whole or the one that is named in parts, whichever comes from the
 * higher layer. An address without a user gets the one that stands beside it.
 */
export function databaseAddress(parts: DatabaseParts, sourceOf: (key: string) => Source): DatabaseAddress {
  const rank = (key: string) => LAYERS.indexOf(sourceOf(key).layer);
  const { url, host } = parts;
  if (url === null && host === null) return { url: null, of: 'none', problem: null };
  if (url !== null && host !== null && rank('database.url') === rank('database.host')) {
    const [one, other] = [sourceOf('database.url').name, sourceOf('database.host').name];
    return {
      url,
      of: 'url',
      problem: `database.url (${one}) and database.host (${other}) name two databases: take one away`,
    };
  }
  if (url !== null && (host === null || rank('database.url') > rank('database.host'))) {
    return { url: withUser(url, parts), of: 'url', problem: null };
  }
  return { url: joined(parts, host ?? ''), of: 'parts', problem: null };
}

function joined({ port, name, user, password, ssl }: DatabaseParts, host: string): string {
  const who = user === null && password === null ? '' : `${credentials(user, password)}@`;
  // A folder is no host name of a URL: it goes behind, where the driver reads it as well.
  const folder = host.startsWith('/');
  const where = folder ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const rest = [folder && `host=${encodeURIComponent(host)}`, ssl !== 'disable' && `sslmode=${ssl}`].filter(Boolean);
  const query = rest.length > 0 ? `?${rest.join('&')}` : '';
  return `postgres://${who}${where}:${port}/${encodeURIComponent(name)}${query}`;
}

/** As it was written, but for the user: a URL that is read and written again may differ. */
function withUser(url: string, { user, password }: DatabaseParts): string {
  const [, scheme = '', rest = ''] = /^(\w+:\/\/)([^@/?]*(?:[/?].*)?)$/s.exec(url) ?? [];
  if (user === null || scheme === '' || /[?&]user=/.test(url)) return url;
  return `${scheme}${credentials(user, password)}@${rest}`;
}

function credentials(user: string | null, password: string | null): string {
  const secret = password === null ? '' : `:${encodeURIComponent(password)}`;
  return `${encodeURIComponent(user ?? '')}${secret}`;
}

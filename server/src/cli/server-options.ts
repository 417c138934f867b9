import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type ClientSettings, clientSettings } from '../runtime/client-settings.ts';
import { isObject } from './answers.ts';
import { type Client, type ClientOptions, createClient, type Patience } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import type { Output } from './output.ts';

/** The options of every command that asks the server. */
export interface ServerOptions {
  url?: string;
  key?: string;
  json?: boolean;
}

/** What a person or a script that waits for one answer bears. */
const SHORT_PATIENCE: Patience = { first: 2_000, later: 15_000 };

/** Adds the options of every command that asks the server. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--url <URL>', 'where the server is (else ALDIS_URL, else credentials.json in the data folder)')
    .option('--key <KEY>', 'the API key (else ALDIS_API_KEY, else credentials.json in the data folder)')
    .option('--json', 'print JSON, and errors as one line of JSON on standard error');
}

interface Behaviour extends Partial<Pick<ClientOptions, 'patience' | 'signal' | 'giveUp'>> {
  /** Whose key of the data folder is used when none is named. */
  as?: 'tenant' | 'operator';
}

/** A client for the server that options, environment or data folder name, in this order. */
export async function connect(
  options: ServerOptions,
  output: Output,
  { as = 'tenant', ...behaviour }: Behaviour = {},
): Promise<Client> {
  const { url, apiKey } = await findServer(options, clientSettings(), as);
  let last = '';
  return createClient({
    url,
    apiKey,
    patience: SHORT_PATIENCE,
    ...behaviour,
    onRetry(why) {
      const reason = why.replace(/; trying again.*/, '');
      if (reason !== last) output.note(`aldis: ${why}`);
      last = reason;
    },
  });
}

/**
 * The address and the key to use. Each is looked for on its own, but a key from the data folder is only used with the
 * address from there: a key must not travel to another server because one of the two was forgotten.
 * @throws {CliError} `usage` when one of the two is nowhere, or the address is none
 */
async function findServer(
  options: ServerOptions,
  settings: ClientSettings,
  as: 'tenant' | 'operator',
): Promise<{ url: string; apiKey: string }> {
  const namedUrl = options.url ?? settings.url;
  const namedKey = options.key ?? settings.apiKey;
  if (namedUrl !== null && namedKey !== null) return { url: checkUrl(namedUrl), apiKey: namedKey };
  const stored = await readCredentials(settings.dataFolder);
  if (stored === null) {
    const missing = namedUrl !== null ? 'API key: give --key or ALDIS_API_KEY' : 'server: give --url or ALDIS_URL';
    throw usageError(
      `no ${missing}, or start Aldis here (npm start), which writes ${join(settings.dataFolder, 'credentials.json')}`,
    );
  }
  const url = checkUrl(namedUrl ?? stored.url);
  if (namedKey === null && new URL(url).origin !== new URL(stored.url).origin) {
    throw usageError(`no API key for ${url}: give --key or ALDIS_API_KEY (the stored key belongs to ${stored.url})`);
  }
  if (namedKey !== null) return { url, apiKey: namedKey };
  if (as === 'tenant') return { url, apiKey: stored.apiKey };
  if (stored.operatorKey === null) {
    throw usageError("credentials.json has no operator_key: give an operator's key by --key or ALDIS_API_KEY");
  }
  return { url, apiKey: stored.operatorKey };
}

interface Stored {
  url: string;
  apiKey: string;
  operatorKey: string | null;
}

/** What `npm start` left in the data folder, or null. A file that only names another `folder` is followed once. */
async function readCredentials(folder: string, follow = true): Promise<Stored | null> {
  const path = join(folder, 'credentials.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(EXIT.failure, 'file', `${path} is no JSON; start Aldis again to have it rewritten`);
  }
  if (!isObject(value)) return null;
  if (typeof value.url === 'string' && typeof value.api_key === 'string' && URL.canParse(value.url)) {
    const operatorKey = typeof value.operator_key === 'string' ? value.operator_key : null;
    return { url: value.url, apiKey: value.api_key, operatorKey };
  }
  return follow && typeof value.folder === 'string' ? readCredentials(value.folder, false) : null;
}

function checkUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usageError(`${url} is no address of a server: write it like http://127.0.0.1:8080`);
  }
  return url;
}

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { isObject, type JsonObject, optionalString } from './answers.ts';
import { argumentPath } from './argument-path.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './exit-codes.ts';
import { checkTarget } from './export-download.ts';
import { createOutput, type Output } from './output.ts';
import { connect, type ServerOptions, withServerOptions } from './server-options.ts';
import { uploadFile } from './upload.ts';

const PATH = '/api/v1/media';
const PAGE = 100;
/** Milliseconds that the server may take to fetch a file from a URL. */
const FETCH_TIMEOUT = 600_000;

const EXAMPLES = `
Examples:
  aldis media upload photo.jpg
  aldis media upload https://shop.example/catalogue.pdf
  aldis media list
  aldis media download 01995b2c-… --out photo.jpg
  aldis media delete 01995b2c-…

What a file is, its content says. The same content is stored once: uploading it again gives the id it has.
Exit codes: 0 done, 1 failure, 2 usage, 3 not reachable, 4 refused by the server.`;

interface DownloadOptions extends ServerOptions {
  out: string;
  replace?: boolean;
}

/** `aldis media`: the tenant's files. */
export function mediaCommand(): Command {
  const command = new Command('media')
    .summary('store, list, fetch and delete files')
    .description('Store, list, fetch and delete files.')
    .addHelpText('after', EXAMPLES);
  const leaf = (name: string, summary: string) => {
    const made = withServerOptions(new Command(name).summary(summary));
    command.addCommand(made);
    return made;
  };

  leaf('upload', 'store a file of this machine, or one that the server fetches from a URL')
    .argument('<file-or-url>', 'a path, or an address that begins with http:// or https://')
    .action(async (source: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      const id = /^https?:\/\//i.test(source)
        ? await fetched(client, source)
        : (await uploadFile(client, argumentPath(source))).id;
      show(await read(client, id), output);
    });

  leaf('list', 'list files, the newest first').action(async (options: ServerOptions) => {
    const output = createOutput(options.json ?? false);
    const files = await listAll(await connect(options, output));
    output.result(files, files.map(line).join('\n'));
  });

  leaf('show', 'show a file, with a link to its content')
    .argument('<id>', 'its id')
    .action(async (id: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      show(await read(await connect(options, output), id), output);
    });

  leaf('download', 'fetch a file')
    .argument('<id>', 'its id')
    .requiredOption('--out <FILE>', 'where to write it')
    .option('--replace', 'replace the file if it is there')
    .action(async (id: string, options: DownloadOptions) => {
      const output = createOutput(options.json ?? false);
      const out = argumentPath(options.out);
      checkTarget({ file: out, replace: options.replace ?? false });
      const client = await connect(options, output);
      const size = await download(client, await read(client, id), out);
      output.result({ id, file: out, size }, `${out}: ${size} bytes`);
    });

  leaf('delete', 'delete a file that no open message is to send')
    .argument('<id>', 'its id')
    .action(async (id: string, options: ServerOptions) => {
      const output = createOutput(options.json ?? false);
      const client = await connect(options, output);
      show(asObject(await client.request({ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}` })), output);
    });
  return command;
}

async function fetched(client: Client, url: string): Promise<string> {
  const body = JSON.stringify({ url });
  const answer = await client.request({ method: 'POST', path: PATH, body, repeatable: true, timeout: FETCH_TIMEOUT });
  return optionalString(asObject(answer), 'id') ?? '';
}

async function read(client: Client, id: string): Promise<JsonObject> {
  return asObject(await client.request({ method: 'GET', path: `${PATH}/${encodeURIComponent(id)}` }));
}

async function listAll(client: Client): Promise<JsonObject[]> {
  const files: JsonObject[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
    const page = asObject(await client.request({ method: 'GET', path: `${PATH}?${query}` }));
    if (Array.isArray(page.media)) files.push(...page.media.filter(isObject));
    cursor = optionalString(page, 'next_cursor');
  } while (cursor !== null);
  return files;
}

/** Writes the content of a file, whole or not at all. @returns its size in bytes */
async function download(client: Client, file: JsonObject, out: string): Promise<number> {
  const url = optionalString(file, 'url');
  if (url === null) throw strange();
  // Its link may name the address that the world knows; this program asks where it asks everything else.
  const response = await client.open(new URL(url).pathname);
  const draft = `${out}.part`;
  try {
    const into = createWriteStream(draft);
    await pipeline(response.body ?? [], into);
    if (into.bytesWritten !== file.size)
      throw new CliError(EXIT.unreachable, 'cut', 'the connection was cut; try again');
    await rename(draft, out);
    return into.bytesWritten;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function show(file: JsonObject, output: Output): void {
  output.result(
    file,
    Object.entries(file)
      .map(([name, value]) => `${name}: ${shown(value)}`)
      .join('\n'),
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function line(file: JsonObject): string {
  const said = (name: string) => shown(file[name]);
  return [said('id'), said('kind').padEnd(8), said('size').padStart(10), said('mime_type'), said('filename')].join(
    '  ',
  );
}

function asObject(answer: unknown): JsonObject {
  if (!isObject(answer)) throw strange();
  return answer;
}

function strange(): CliError {
  return new CliError(EXIT.failure, 'strange_answer', 'the server does not answer as it should');
}

import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/*
 * Makes client/src/api-types.ts and client/src/keyed-requests.ts of docs/openapi.json. Their heads have the hashes of the document and
 * of their own text, so that a test tells without the generator whether they are old or were changed by hand.
 */
const FOLDER = import.meta.dirname;
const ROOT = join(FOLDER, '../..');
const DOCUMENT = join(ROOT, 'docs/openapi.json');

/** What of a schema, a parameter or an operation is looked at here; the rest is copied. */
interface Part {
  name?: string;
  default?: unknown;
  required?: boolean | string[];
  schema?: Part;
  properties?: Record<string, Part>;
  parameters?: Part[];
  responses?: Record<string, unknown>;
  [other: string]: unknown;
}

interface Document {
  paths: Record<string, Record<string, Part>>;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The document as a client sees it: what has a default may be left out, errors are thrown, and the provider's webhooks are not his. */
function forClients(text: string): Document {
  const document = JSON.parse(text) as Document;
  relax(document as unknown as Part);
  for (const [path, operations] of Object.entries(document.paths)) {
    if (path.startsWith('/webhooks/')) delete document.paths[path];
    for (const { responses = {} } of Object.values(operations)) {
      for (const status of Object.keys(responses)) if (!status.startsWith('2')) delete responses[status];
    }
  }
  return document;
}

function relax(part: Part): void {
  const { properties, required } = part;
  if (Array.isArray(required) && properties) {
    part.required = required.filter((name) => !properties[name] || !('default' in properties[name]));
  }
  if (required === true && part.schema && 'default' in part.schema) part.required = false;
  for (const value of Object.values(part)) if (typeof value === 'object' && value !== null) relax(value as Part);
}

/** Requests that may be repeated, for they carry an Idempotency-Key: `POST /api/v1/messages`. */
function keyed({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === 'idempotency-key'))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}

/** What openapi-typescript prints. It is installed when it is missing. */
async function printedTypes(document: Document): Promise<string> {
  const run = promisify(execFile);
  const program = join(FOLDER, 'node_modules/openapi-typescript/bin/cli.js');
  if (!existsSync(program)) execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: FOLDER });
  const folder = mkdtempSync(join(tmpdir(), 'aldis-types-'));
  try {
    const input = join(folder, 'openapi.json');
    const output = join(folder, 'types.ts');
    writeFileSync(input, JSON.stringify(document));
    await run(
      process.execPath,
      [program, input, '--output', output, '--default-non-nullable=false', '--empty-objects-unknown'],
      { cwd: FOLDER },
    );
    return readFileSync(output, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without what says nothing: that there is no such method, parameter, body or header. Half as wide. */
function withoutNoise(printed: string): string {
  return printed
    .replace(/^\/\*\*[\s\S]*?\*\/\n+/, '')
    .replace(/^export type \S+ = Record<string, never>;\n/gm, '')
    .replace(/^ +\w+\?: never;\n/gm, '')
    .replace(/^ +headers: \{\n +\[name: string\]: unknown;\n +\};\n/gm, '')
    .replace(/^ +parameters: \{\n +\};\n/gm, '')
    .replace(/^ +\/\*\* @description Default Response \*\/\n/gm, '')
    .replace(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2));
}

/** Writes a file with a head that tells the hashes of what it was made of, and of its text. */
function write(name: string, text: string): void {
  const file = join(ROOT, 'client/src', name);
  const whole = `// Made of docs/openapi.json by \`npm run generate\`; do not edit. A test holds the two hashes.
// document ${hashOf(source)}
// text     ${hashOf(text)}

${text}`;
  const changed = !existsSync(file) || readFileSync(file, 'utf8') !== whole;
  if (changed) writeFileSync(file, whole);
  console.log(`${changed ? 'written  ' : 'the same '} client/src/${name}`);
}

const source = readFileSync(DOCUMENT, 'utf8');
const document = forClients(source);
write('api-types.ts', withoutNoise(await printedTypes(document)));
const names = keyed(document).map((name) => `  '${name}',\n`);
write(
  'keyed-requests.ts',
  `/** Requests that take an Idempotency-Key. */\nexport const TAKES_KEY: ReadonlySet<string> = new Set([\n${names.join('')}]);\n`,
);

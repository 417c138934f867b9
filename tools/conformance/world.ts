import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from './ledger.ts';
import { type Neighbour, simulatedWhatsApp, startNeighbour } from './neighbour.ts';
import { type Program, startAldis, temporaryFolder } from './program.ts';
import { fillIn, readRequest, replaceAll } from './written-text.ts';

/** An answer over HTTP. The body is its JSON, or its text. */
export interface Reply {
  status: number;
  body: unknown;
}

export interface Asking {
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** Text as it stands, or a value to write as JSON. */
  body?: unknown;
}

/** A fresh Aldis with the neighbours that a service's documents speak of. */
export interface World extends AsyncDisposable {
  program: Program;
  /** By the word that the documents call them. */
  neighbours: ReadonlyMap<string, Neighbour>;
  /** The key that the service's user has. */
  key: string;
  /** What `{{name}}` means in the examples. */
  values: Record<string, string>;
}

/** A time ahead that every limit allows. */
const AHEAD = 86_400_000;
const LONGEST_ASK = 30_000;
/** The one neighbour that Aldis brings a stand-in for. */
const WHATSAPP = 'graph.facebook.com';

/** Starts the world of a service: its profile, its file when there is one to start with, its settings, its neighbours. */
export async function openWorld(service: Service): Promise<World> {
  await using parts = new AsyncDisposableStack();
  const neighbours = new Map<string, Neighbour>();
  for (const of of new Set(service.calls.map((call) => call.of))) {
    if (of !== WHATSAPP) neighbours.set(of, parts.use(await startNeighbour()));
  }
  const urls = Object.fromEntries(
    [...neighbours].map(([name, { url }]): [string, string] => [name.replaceAll('-', '_'), url]),
  );
  const env = Object.fromEntries(Object.entries(service.world).map(([name, value]) => [name, fillIn(value, urls)]));
  const folder = parts.use(temporaryFolder());
  const file = service.files.find(({ started }) => started !== undefined);
  const args = ['--profile', service.profile];
  if (file) {
    const path = join(folder.path, 'service.yaml');
    writeFileSync(path, fillIn(replaceAll(file.text, file.started), urls));
    args.push('--config', path);
  }
  const program = parts.use(await startAldis(args, env));
  const { api_key, tenant_id, sender_id, phone_number_id, simulator_url } = program.credentials;
  neighbours.set(WHATSAPP, simulatedWhatsApp(simulator_url));
  const future = new Date(Date.now() + AHEAD).toISOString();
  const values = { tenant: tenant_id, sender: sender_id, phone_number_id, key: api_key, future, ...urls };
  const world: World = { program, neighbours, key: api_key, values, [Symbol.asyncDispose]: async () => {} };
  for (const { of, request, replaced, answer, also } of service.calls) {
    const { method, path } = readRequest(replaceAll(request, replaced));
    neighbours.get(of)?.answers.set(`${method} ${path}`, fillIn(replaceAll(answer, also), values));
  }
  if (service.key === 'queue-service') world.key = await makeQueueKey(world);
  const all = parts.move();
  return { ...world, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A key as the user of queue-service makes one. */
async function makeQueueKey(world: World): Promise<string> {
  const body = { name: 'queue-service', dialect: 'queue', tenant_id: world.program.credentials.tenant_id };
  const made = await askOperator(world, { method: 'POST', path: '/api/v1/api-keys', body }, 201);
  return (made as { key: string }).key;
}

/** Asks over HTTP. A body goes as JSON unless the headers say otherwise. */
export async function ask(url: string, { method, path, headers = {}, body }: Asking): Promise<Reply> {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...lowerCase(headers) },
    body: text ?? null,
    signal: AbortSignal.timeout(LONGEST_ASK),
  });
  const said = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') && said !== '';
  return { status: response.status, body: json ? JSON.parse(said) : said };
}

/** Two spellings of one header would be two values of it. */
function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Asks Aldis with a key that speaks our own dialect. @throws {Error} when the answer has another status */
export function askPlainly(world: World, asking: Asking, status: number): Promise<unknown> {
  return expect(world, world.program.credentials.api_key, asking, status);
}

/** Asks Aldis with the operator's key. @throws {Error} when the answer has another status */
export function askOperator(world: World, asking: Asking, status: number): Promise<unknown> {
  return expect(world, world.program.credentials.operator_key, asking, status);
}

async function expect(world: World, key: string, asking: Asking, status: number): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}`, ...asking.headers };
  const reply = await ask(world.program.credentials.url, { ...asking, headers });
  if (reply.status === status) return reply.body;
  throw new Error(`${asking.method} ${asking.path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
}

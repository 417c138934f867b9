import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Call,
  type Entry,
  type Example,
  idOf,
  type Ledger,
  PROJECT,
  type Service,
  type SocketExample,
} from './ledger.ts';
import { pathsOf, readAnswer, readHandshake, readRequest, replaceAll, vary } from './written-text.ts';

/**
 * What is wrong with the ledger by itself: a documented name without an entry, an entry that is nobody's name, an entry
 * that says it works and that nothing holds, an example of what is not documented.
 */
export function ledgerFlaws({ services, flaws }: Ledger, names: readonly string[]): string[] {
  const known = new Set(names);
  const entries = services.flatMap((service) => service.entries);
  const ids = entries.map(idOf);
  const entered = new Set(ids);
  return [
    ...flaws,
    ...names.filter((name) => !entered.has(name)).map((name) => `${name}: has no line in docs/compat.yaml`),
    ...names
      .filter((name, index) => index > 0 && name <= String(names[index - 1]))
      .map((name) => `${name}: not sorted`),
    ...ids.filter((id) => !known.has(id)).map((id) => `${id}: is not in docs/compat-names.txt`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: stands twice in docs/compat.yaml`),
    ...services.flatMap(flawsOfService),
  ];
}

function flawsOfService(service: Service): string[] {
  const flaws: string[] = [];
  const held = new Set<string>();
  for (const example of service.examples) hold(example.title, () => heldByExample(example));
  for (const call of service.calls) hold(call.title, () => heldByCall(call));
  const { socket } = service;
  if (socket) hold('its script', () => heldBySocket(socket));
  const ours = new Set(service.entries.map(({ kind, name }) => `${kind} ${name}`));
  for (const { title, ids } of promised(service)) {
    for (const id of ids) if (!ours.has(id)) flaws.push(`${service.key}, ${title}: holds ${id}, which is no entry`);
  }
  for (const entry of service.entries) {
    const flaw = flawOfProof(entry, held.has(`${entry.kind} ${entry.name}`));
    if (flaw) flaws.push(`${idOf(entry)}: ${flaw}`);
  }
  return flaws;

  function hold(title: string, of: () => string[]): void {
    try {
      for (const id of of()) held.add(id);
    } catch (error) {
      flaws.push(`${service.key}, ${title}: ${String(error)}`);
    }
  }
}

/** The entries that examples and calls name themselves. */
function promised({ examples, calls }: Service): { title: string; ids: string[] }[] {
  return [
    ...examples.map(({ title, holds = [], each = [] }) => ({
      title,
      ids: [...holds, ...each.flatMap((one) => one.hold)],
    })),
    ...calls.map(({ title, proves, holds = [] }) => ({ title, ids: [`call ${proves}`, ...holds] })),
  ];
}

function flawOfProof(entry: Entry, held: boolean): string | null {
  if (entry.proof !== undefined) return flawOfFile(entry.proof);
  if (entry.verdict !== 'works' || held) return null;
  // These are held by a running program: see configuration.ts and replay.ts.
  const checked = entry.sets !== undefined || (entry.kind === 'metric' && entry.type !== undefined);
  return checked ? null : 'works, but no example and no test holds it';
}

/** A proof is a file, or a file and words in it: `FILE: WORDS`. */
function flawOfFile(proof: string): string | null {
  const [file = '', ...words] = proof.split(': ');
  const path = join(PROJECT, file);
  if (!existsSync(path)) return `there is no ${file}`;
  const said = words.join(': ');
  return said === '' || readFileSync(path, 'utf8').includes(said) ? null : `${file} does not say: ${said}`;
}

/** The request's own name, as the documents write it. */
function provenBy({ proves, request }: Pick<Example, 'proves' | 'request'>): string {
  const { method, path } = readRequest(request);
  return proves ?? `${method} ${path.replace(/\?.*$/, '')}`;
}

/** Every entry that an example holds: `KIND NAME`. */
function heldByExample(example: Example): string[] {
  const { request, replaced, varies, answer, record, holds = [], each = [] } = example;
  const name = provenBy(example);
  const { path, headers, body } = readRequest(
    replaceAll(request, replaced).replaceAll('{{each}}', String(each[0]?.what)),
  );
  const documented = readAnswer(answer.replaceAll('{{like}}', each[0]?.like ?? ''), varies);
  const said = JSON.stringify(documented.body);
  const sent: unknown = body === null ? null : JSON.parse(body.replaceAll(/"?\{\{\w+\}\}"?/g, '""'));
  return [
    `request ${name}`,
    `status ${name} ${documented.status}`,
    ...Object.entries(headers).map(([header, value]) => `header ${name} ${header}: ${value}`),
    ...pathsOf(sent).map((field) => `field ${name} ${field}`),
    ...[...new URL(path, 'http://any').searchParams.keys()].map((field) => `query ${name} ${field}`),
    ...pathsOf(documented.body).map((field) => `answer ${name} ${field}`),
    ...(record === undefined
      ? []
      : pathsOf(documented.body).map((field) => `record ${field.slice(record.length + 1)}`)),
    ...textsOf(said).map((text) => `error ${name} ${documented.status} ${text}`),
    ...holds,
    ...each.flatMap((one) => one.hold),
  ];
}

/** Every text in a JSON document, with its quotes. */
function textsOf(json: string): string[] {
  return json.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
}

function heldByCall({ proves, of, request, replaced, varies = {}, answer, also, holds = [] }: Call): string[] {
  const { headers, body } = readRequest(vary(replaceAll(request, replaced), varies));
  const answered: unknown = JSON.parse(replaceAll(answer, also));
  return [
    `call ${proves}`,
    ...Object.keys(headers).map((header) => `header-sent ${of} ${header}`),
    ...pathsOf(body === null ? null : JSON.parse(body)).map((field) => `field-sent ${of} ${field}`),
    ...pathsOf(answered).map((field) => `field-read ${of} ${field}`),
    ...holds,
  ];
}

/** The socket, the headers it is opened with, and every frame by its type. */
function heldBySocket({ connect, script, steps }: SocketExample): string[] {
  const { url, headers } = readHandshake(connect.text);
  replaceAll(connect.text, connect.replaced);
  if (!replaceAll(script.text, script.replaced).includes(script.pause)) throw new Error(`does not say ${script.pause}`);
  const frames = steps.flatMap(({ request, sends, replaced, tells }) => {
    if (request !== undefined) replaceAll(request, replaced);
    return [
      ...(sends === undefined ? [] : heldByFrame('client-event', replaceAll(sends, replaced))),
      ...tells.flatMap(({ frame, varies }) => heldByFrame('event', vary(frame, varies ?? {}))),
    ];
  });
  return [
    `request GET ${new URL(url).pathname}`,
    ...Object.keys(headers).map((header) => `header ${header}`),
    ...frames,
  ];
}

function heldByFrame(kind: string, frame: string): string[] {
  const read = JSON.parse(frame) as { type: string };
  return [`${kind} ${read.type}`, ...pathsOf(read).map((field) => `${kind} ${read.type} ${field}`)];
}

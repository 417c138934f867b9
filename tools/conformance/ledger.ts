import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The project's folder. */
export const PROJECT = join(import.meta.dirname, '../..');

const VERDICTS = ['works', 'read as', 'not kept', 'later'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What became of one documented name. The comment at the top of docs/compat.yaml tells what each field means. */
export interface Entry {
  service: string;
  kind: string;
  name: string;
  verdict: Verdict;
  as?: string;
  why?: string;
  sets?: string;
  try?: string;
  shows?: string;
  ours?: string;
  profile?: string;
  note?: string;
  type?: string;
  warns?: boolean;
  proof?: string;
}

/** A change of a documented text. */
export interface Replacement {
  what: string;
  by: string;
  why: string;
}

/** A documented request with its documented answer. */
export interface Example {
  title: string;
  /** The name of the request it proves, when the request's own line is not it. */
  proves?: string;
  before?: string[];
  request: string;
  replaced?: Replacement[];
  answer: string;
  /** Documented texts of the answer, each with what stands for any such value. */
  varies?: Record<string, string>;
  /** Values by their path that have to be equal. */
  exact?: Record<string, unknown>;
  /** The path of a whole record in the answer, whose fields are the names of kind `record`. */
  record?: string;
  keyless?: boolean;
  /** Entries that it holds beside those its texts name: `KIND NAME`. */
  holds?: string[];
  /** Asked once for each, with `what` in the place of `{{each}}`, and `like` in that of `{{like}}` in the answer. */
  each?: { what: string; like?: string; hold: string[] }[];
}

/** What the service asks of another one. */
export interface Call {
  title: string;
  proves: string;
  of: string;
  request: string;
  replaced?: Replacement[];
  varies?: Record<string, string>;
  /** The JSON that it is answered. */
  answer: string;
  /** Changes of that answer. */
  also?: Replacement[];
  holds?: string[];
}

/** A documented text, and its changes. */
export interface WrittenText {
  text: string;
  replaced?: Replacement[];
}

/** A documented script that opens a socket, and what happens on sockets then. */
export interface SocketExample {
  before: string[];
  /** The documented address and headers, by which another user connects: the one whom the script's user talks with. */
  connect: WrittenText;
  /** `pause`: the words before which it waits until it has printed `prints`. */
  script: WrittenText & { pause: string; prints: string };
  steps: SocketStep[];
}

/** A documented request, or a frame that the script's socket sends; without either, what the one before or the script did. */
export interface SocketStep {
  title: string;
  request?: string;
  sends?: string;
  replaced?: Replacement[];
  /** The documented frames that come of it, and whom they are told to. */
  tells: { to: 'script' | 'other'; frame: string; varies?: Record<string, string> }[];
}

/** A documented configuration file. */
export interface ConfigFile {
  title: string;
  text: string;
  /** Its changes when Aldis is started with it. Absent: it is read, and no Aldis is started with it. */
  started?: Replacement[];
}

export interface Service {
  key: string;
  title: string;
  about: string;
  /** The profile that sets its defaults. */
  profile: string;
  /** Its documented port, if it has one. */
  port: number | null;
  /** Not a documented service, but what was decided for all of them. */
  shared: boolean;
  switch: string[];
  /** Commands that show it at work, for a shell. */
  shell: string;
  /** Settings of the Aldis that its examples are asked of. */
  world: Record<string, string>;
  entries: Entry[];
  examples: Example[];
  calls: Call[];
  /** Its script for a socket, if it documents one. */
  socket: SocketExample | null;
  files: ConfigFile[];
}

/** One as it is written in the file. */
type Written = Omit<Service, 'key' | 'entries'> & { names: Record<string, unknown> };

/** The ledger, and what is wrong with its lines. */
export interface Ledger {
  services: Service[];
  flaws: string[];
}

/** The text of docs/compat.yaml. */
export function ledgerText(): string {
  return readFileSync(join(PROJECT, 'docs/compat.yaml'), 'utf8');
}

/** The documented names, extracted once: a line each, `KIND SERVICE NAME`, in order. */
export function documentedNames(): string[] {
  return readFileSync(join(PROJECT, 'docs/compat-names.txt'), 'utf8').trim().split('\n');
}

/** Reads the ledger. */
export function readLedger(text: string): Ledger {
  const { services } = parse(text, { maxAliasCount: -1 }) as { services: Record<string, Written> };
  const flaws: string[] = [];
  const read = Object.entries(services).map(([key, { names, ...written }]): Service => {
    const entries = Object.entries(names).flatMap(([kind, tree]) => entriesOf(key, kind, [], tree, flaws));
    return {
      ...written,
      key,
      entries,
      profile: written.profile ?? 'aldis',
      port: written.port ?? null,
      shared: written.shared ?? false,
      switch: written.switch ?? [],
      shell: written.shell ?? '',
      world: written.world ?? {},
      examples: written.examples ?? [],
      calls: written.calls ?? [],
      socket: written.socket ?? null,
      files: written.files ?? [],
    };
  });
  return { services: read, flaws };
}

/** The entries below a place in the tree of names: a verdict is a word or a map with one, all else is a group. */
function entriesOf(service: string, kind: string, path: string[], tree: unknown, flaws: string[]): Entry[] {
  const name = path.join(' ');
  const written = typeof tree === 'string' ? { verdict: tree } : tree;
  if (typeof written !== 'object' || written === null) {
    flaws.push(`${kind} ${service} ${name}: has no verdict`);
    return [];
  }
  if (!('verdict' in written)) {
    return Object.entries(written).flatMap(([word, part]) => entriesOf(service, kind, [...path, word], part, flaws));
  }
  const entry = { ...(written as Omit<Entry, 'service' | 'kind' | 'name'>), service, kind, name };
  const flaw = flawOf(entry);
  if (flaw) flaws.push(`${idOf(entry)}: ${flaw}`);
  return [entry];
}

function flawOf(entry: Entry): string | null {
  if (!VERDICTS.includes(entry.verdict)) return `${entry.verdict} is no verdict: ${VERDICTS.join(', ')}`;
  if (entry.verdict === 'read as' && !entry.as) return 'read as what? `as` is missing';
  if ((entry.verdict === 'not kept' || entry.verdict === 'later') && !entry.why) return '`why` is missing';
  return null;
}

/** The line of docs/compat-names.txt that an entry is about: `KIND SERVICE NAME`. */
export function idOf({ kind, service, name }: Pick<Entry, 'kind' | 'service' | 'name'>): string {
  return `${kind} ${service} ${name}`;
}

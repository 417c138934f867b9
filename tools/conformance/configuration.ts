import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Entry, idOf, type Service } from './ledger.ts';
import { run, temporaryFolder } from './program.ts';

/** A setting as `aldis config --json` shows it. */
interface Shown {
  key: string;
  value: string;
  source: string;
}

interface Seen {
  shown: ReadonlyMap<string, Shown>;
  warnings: string;
}

/**
 * Where the configuration does not do what the ledger says: every documented variable and every key of the documented files
 * as `aldis config --json` takes them, and every default under its profile and without one.
 */
export async function configurationFlaws(services: readonly Service[]): Promise<string[]> {
  const ours = await show([], {});
  const flaws = services.map(async (service) => {
    const of = (kind: string) => service.entries.filter((entry) => entry.kind === kind);
    return [
      ...(await environmentFlaws(of('env'))),
      ...(await fileFlaws(service, of('yaml'))),
      ...(await defaultFlaws(ours, of('default'))),
    ];
  });
  return (await Promise.all(flaws)).flat();
}

/** Each variable is set to its `try`; those without use so far to anything. */
async function environmentFlaws(entries: readonly Entry[]): Promise<string[]> {
  if (entries.length === 0) return [];
  const env = Object.fromEntries(entries.map(({ name, try: value }) => [name, value ?? 'any']));
  const seen = await show([], env);
  if (typeof seen === 'string') return entries.map((entry) => `${idOf(entry)}: ${seen}`);
  return entries.flatMap((entry) => flawsOf(entry, seen, entry.shows, entry.name, entry.name));
}

/** Each key, in the documented file as it stands. */
async function fileFlaws({ key, files }: Service, entries: readonly Entry[]): Promise<string[]> {
  const [file] = files;
  if (!file) return entries.map((entry) => `${idOf(entry)}: ${key} has no documented file`);
  using folder = temporaryFolder();
  const path = join(folder.path, 'documented.yaml');
  writeFileSync(path, file.text);
  const seen = await show(['--config', path], {});
  if (typeof seen === 'string') return entries.map((entry) => `${idOf(entry)}: ${seen}`);
  return entries.flatMap((entry) =>
    // A value that is read as another has no source any more.
    flawsOf(entry, seen, entry.shows, entry.verdict === 'works' ? 'documented.yaml' : null, entry.name.split('.')[0]),
  );
}

async function defaultFlaws(ours: Seen | string, entries: readonly Entry[]): Promise<string[]> {
  const [profile] = new Set(entries.flatMap((entry) => entry.profile ?? []));
  if (profile === undefined) return [];
  const seen = await show(['--profile', profile], {});
  if (typeof seen === 'string' || typeof ours === 'string') return entries.map((entry) => `${idOf(entry)}: no answer`);
  return entries.flatMap((entry) =>
    entry.sets === undefined
      ? []
      : [
          ...flawsOf(entry, seen, entry.shows, null, undefined),
          ...flawsOf(entry, ours, entry.ours, null, undefined).map((flaw) => `${flaw}, without a profile`),
        ],
  );
}

function flawsOf(
  entry: Entry,
  { shown, warnings }: Seen,
  value: string | undefined,
  source: string | null,
  warned: string | undefined,
): string[] {
  const id = idOf(entry);
  const flaws: string[] = [];
  if (entry.warns && !warnings.includes(String(warned))) flaws.push(`${id}: no warning at start tells of it`);
  if (entry.sets === undefined) return flaws;
  const found = shown.get(entry.sets);
  if (!found) return [...flaws, `${id}: there is no setting ${entry.sets}`];
  if (found.value !== value)
    flaws.push(`${id}: ${entry.sets} is ${found.value || 'nothing'}, not ${value || 'nothing'}`);
  if (source !== null && !found.source.includes(source)) flaws.push(`${id}: ${entry.sets} comes from ${found.source}`);
  return flaws;
}

/** All settings as they would be, or why there are none. */
async function show(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Seen | string> {
  using folder = temporaryFolder();
  const { code, out, errors } = await run(['config', '--json', ...args], env, folder.path);
  if (code !== 0) return `aldis config ends with ${code}: ${errors.trim()}`;
  const rows = JSON.parse(out) as Shown[];
  return { shown: new Map(rows.map((row) => [row.key, row])), warnings: errors };
}

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, readEnvironment } from './config-environment.ts';
import { readFile } from './config-file.ts';
import { readFlags } from './config-flags.ts';
import type { Found, Source } from './config-layer.ts';
import { checkTogether, uselessSettings } from './config-rules.ts';
import { type DatabaseParts, databaseAddress } from './database-url.ts';
import { RETIRED_VALUES } from './documented-names.ts';
import { PROFILES } from './profiles.ts';
import { ALL_SETTINGS, type Config, frozenConfig, type NamedSetting } from './settings.ts';
import { StartError } from './start-error.ts';

/**
 * The configuration, and the only reader of the environment. Five layers, each over the one before it:
 *
 * 1. the defaults in `settings.ts`;
 * 2. those of a documented service in `profiles.ts`, when a profile is named;
 * 3. a YAML file: the one that `--config` or `ALDIS_CONFIG` names, else `aldis.yaml` in the working folder if there is one;
 * 4. the environment: `ALDIS_SERVER_PORT`, else the setting's other names in order; an empty variable counts as absent;
 * 5. flags.
 *
 * Whatever is wrong is told at once, each with its source, its key, what was wrong and what would be right.
 */

export interface LoadedConfig {
  config: Config;
  /** By key, such as `server.port`. Every key is there. */
  sources: ReadonlyMap<string, Source>;
  /** The file that was read, absolute. */
  file: string | null;
  /** What was read and does nothing, or not what it says; a line each, to be logged at start. */
  warnings: readonly string[];
}

/** The configuration is wrong; each problem is a line. Exit code 2. */
export class ConfigError extends StartError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n');
    super(
      problems.length === 1 ? `configuration: ${problems[0]}` : `configuration: ${problems.length} errors\n${lines}`,
      {
        exitCode: 2,
      },
    );
    this.problems = problems;
  }
}

export interface ConfigInput {
  /** Flags, without program and verb. None unless told. */
  argv?: readonly string[];
  /** The process's own unless told. */
  env?: Environment;
  /** Where relative paths begin: the working folder unless told. */
  cwd?: string;
}

/**
 * Reads the configuration of the server.
 * @throws {ConfigError} with all that is wrong.
 */
export function loadConfig({ argv = [], env = process.env, cwd = process.cwd() }: ConfigInput = {}): LoadedConfig {
  const flags = readFlags(argv);
  const file = readFile(flags.file ?? (env.ALDIS_CONFIG || null), cwd);
  const environment = readEnvironment(env);
  const problems = [...file.problems, ...environment.problems, ...flags.problems];
  const warnings = [...file.warnings, ...environment.warnings];
  const foundAbove = (key: string) => flags.found.get(key) ?? environment.found.get(key) ?? file.found.get(key);
  const profile = profileLayer(foundAbove('profile'));

  const values = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  for (const named of ALL_SETTINGS) {
    const { key, setting } = named;
    const given = foundAbove(key);
    const retired = given && RETIRED_VALUES.find((one) => one.key === key && one.matches.test(String(given.text)));
    if (retired) warnings.push(`${key} from ${given.source.name}: ${String(given.text)} ${retired.why}`);
    const found = (retired ? undefined : given) ?? profile.get(key);
    sources.set(key, found?.source ?? { layer: 'default', name: 'default' });
    values.set(key, setting.default);
    if (!found) continue;
    try {
      values.set(key, readValue(named, found.text));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`${key} from ${found.source.name}: ${error.message}`);
    }
  }
  const named = sources.get('data_dir')?.layer !== 'default';
  values.set('data_dir', resolve(named ? cwd : PROJECT, String(values.get('data_dir'))));
  // Judged together, values that are wrong by themselves would be judged by their defaults: first things first.
  if (problems.length === 0) problems.push(...settleDatabase(values, sources));

  const config = frozenConfig(values);
  if (problems.length === 0) problems.push(...checkTogether(config));
  if (problems.length > 0) throw new ConfigError(problems);
  warnings.push(...uselessSettings(config, sources));
  return { config, sources, file: file.path, warnings };
}

/** The defaults of the profile that is named. A wrong name is told where the setting is read. */
function profileLayer(named: Found | undefined): ReadonlyMap<string, Found> {
  const name = String(named?.text ?? '')
    .trim()
    .toLowerCase();
  const values = Object.entries(PROFILES).find(([profile]) => profile === name)?.[1] ?? {};
  return new Map(
    Object.entries(values).map(([key, text]) => [key, { text, source: { layer: 'profile', name: `profile ${name}` } }]),
  );
}

/** Puts the database's address together where it is named in parts. @returns what is wrong with it. */
function settleDatabase(values: Map<string, unknown>, sources: Map<string, Source>): string[] {
  const DEFAULT: Source = { layer: 'default', name: 'default' };
  const part = (name: keyof DatabaseParts) => values.get(`database.${name}`);
  const { url, of, problem } = databaseAddress(
    {
      url: part('url') as string | null,
      host: part('host') as string | null,
      port: Number(part('port')),
      name: String(part('name')),
      user: part('user') as string | null,
      password: part('password') as string | null,
      ssl: String(part('ssl')),
    },
    (key) => sources.get(key) ?? DEFAULT,
  );
  values.set('database.url', url);
  if (of === 'parts') sources.set('database.url', sources.get('database.host') ?? DEFAULT);
  return problem === null ? [] : [problem];
}

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

function readValue({ setting }: NamedSetting, text: string | readonly string[]): unknown {
  if (typeof text === 'string') return setting.read(text);
  if (!setting.many) throw new RangeError(`a list is not ${setting.expects}`);
  return text.length === 0 ? setting.default : setting.read(text.join(','));
}

/** A row of `aldis config`. */
export interface ConfigRow {
  key: string;
  /** As one would write it; empty when there is none; secrets masked. */
  value: string;
  source: string;
}

/** The effective values with their source, secrets masked, in the order of the reference page. */
export function describeConfig({ config, sources }: LoadedConfig): ConfigRow[] {
  return ALL_SETTINGS.map(({ key, path, setting }) => ({
    key,
    value: setting.mask(path.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], config)),
    source: sources.get(key)?.name ?? 'default',
  }));
}

/** The environment for a child process: ours, with these variables over it. */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFile } from './config-file.ts';
import { readFlags } from './config-flags.ts';
import type { Found, Layer, Source } from './config-layer.ts';
import { checkTogether } from './config-rules.ts';
import { didYouMean } from './near-names.ts';
import { ALL_SETTINGS, type Config, frozenConfig, type NamedSetting } from './settings.ts';
import { StartError } from './start-error.ts';

/**
 * The configuration, and the only reader of the environment. Four layers, each over the one before it:
 *
 * 1. the defaults in `settings.ts`;
 * 2. a YAML file: the one that `--config` or `ALDIS_CONFIG` names, else `aldis.yaml` in the working folder if there is one;
 * 3. the environment: `ALDIS_SERVER_PORT`, else the setting's other names in order; an empty variable counts as absent;
 * 4. flags.
 *
 * Whatever is wrong is told at once, each with its source, its key, what was wrong and what would be right.
 */

export interface LoadedConfig {
  config: Config;
  /** By key, such as `server.port`. Every key is there. */
  sources: ReadonlyMap<string, Source>;
  /** The file that was read, absolute. */
  file: string | null;
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

/** The environment's variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

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

  const values = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  for (const named of ALL_SETTINGS) {
    const { key, setting } = named;
    const found = flags.found.get(key) ?? environment.found.get(key) ?? file.found.get(key);
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

  const config = frozenConfig(values);
  // Values that are wrong by themselves would be judged together by their defaults: first things first.
  if (problems.length === 0) problems.push(...checkTogether(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, sources, file: file.path };
}

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url));

function readValue({ setting }: NamedSetting, text: string | readonly string[]): unknown {
  if (typeof text === 'string') return setting.read(text);
  if (!setting.many) throw new RangeError(`a list is not ${setting.expects}`);
  return text.length === 0 ? setting.default : setting.read(text.join(','));
}

/**
 * Variables that begin with ALDIS_ and are not the server's: the path of the file, and those of the programs beside it,
 * which read and refuse their own.
 */
const NOT_OURS = /^ALDIS_(?:CONFIG$|SIMULATOR_|BENCH_|DRILL_|TEST_)/;

function readEnvironment(env: Environment): Layer {
  const found = new Map<string, Found>();
  for (const { key, variable, setting } of ALL_SETTINGS) {
    for (const { name, unit = '' } of [{ name: variable, unit: undefined }, ...setting.aliases]) {
      const text = env[name];
      if (!text) continue;
      found.set(key, { text: `${text}${unit}`, source: { layer: 'environment', name } });
      break;
    }
  }
  const variables = ALL_SETTINGS.map(({ variable }) => variable);
  const known = new Set(variables);
  const problems = Object.keys(env)
    .filter((name) => name.startsWith('ALDIS_') && !known.has(name) && !NOT_OURS.test(name))
    .map((name) => `unknown variable ${name} in the environment${didYouMean(name, [...variables, 'ALDIS_CONFIG'])}`);
  return { found, problems };
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

import type { Found, Layer } from './config-layer.ts';
import { UNUSED_VARIABLES } from './documented-names.ts';
import { didYouMean } from './near-names.ts';
import { meaningOf } from './setting.ts';
import { ALL_SETTINGS } from './settings.ts';

/** The environment's variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that begin with ALDIS_ and are not the server's: the path of the file, and those of the programs beside it,
 * which read and refuse their own.
 */
const NOT_OURS = /^ALDIS_(?:CONFIG$|SIMULATOR_|BENCH_|DRILL_|TEST_)/;

const OURS = ALL_SETTINGS.map(({ variable }) => variable);
const KNOWN = new Set(
  ALL_SETTINGS.flatMap(({ variable, setting }) => [variable, ...setting.aliases.map((a) => a.name)]),
);

/** Reads the environment as a layer. An empty variable counts as absent. */
export function readEnvironment(env: Environment): Layer {
  const found = new Map<string, Found>();
  for (const { key, variable, setting } of ALL_SETTINGS) {
    for (const alias of [{ name: variable }, ...setting.aliases]) {
      const text = env[alias.name];
      if (!text) continue;
      found.set(key, { text: meaningOf(alias, text), source: { layer: 'environment', name: alias.name } });
      break;
    }
  }
  const set = Object.keys(env).filter((name) => !KNOWN.has(name));
  const problems = set
    .filter((name) => name.startsWith('ALDIS_') && !NOT_OURS.test(name))
    .map((name) => `unknown variable ${name} in the environment${didYouMean(name, [...OURS, 'ALDIS_CONFIG'])}`);
  const warnings = set.flatMap((name) => {
    const unused = env[name] ? UNUSED_VARIABLES.find(({ matches }) => matches.test(name)) : undefined;
    return unused ? [`${name} in the environment is ${unused.why}`] : [];
  });
  return { found, problems, warnings };
}

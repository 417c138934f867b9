import type { Found, Layer } from './config-layer.ts';
import { didYouMean } from './near-names.ts';
import { ALL_SETTINGS, type NamedSetting } from './settings.ts';

/** Flags as a layer, and the configuration file they name. */
export interface FlagLayer extends Layer {
  file: string | null;
}

/**
 * Reads `--server-port 8080`, `--server-port=8080`, `--embedded`, `--no-embedded` and `--config FILE`. A list's flag may
 * come several times; of others the last one counts.
 */
export function readFlags(argv: readonly string[]): FlagLayer {
  const byFlag = new Map(ALL_SETTINGS.map((named) => [named.flag, named]));
  const found = new Map<string, Found>();
  const problems: string[] = [];
  let file: string | null = null;
  for (let i = 0; i < argv.length; i++) {
    const argument = String(argv[i]);
    if (!argument.startsWith('--')) {
      problems.push(`unexpected argument ${JSON.stringify(argument)}; settings are given as --FLAG VALUE`);
      continue;
    }
    const equals = argument.indexOf('=');
    const flag = equals < 0 ? argument : argument.slice(0, equals);
    const named = byFlag.get(flag) ?? negated(flag, byFlag);
    let text = equals < 0 ? undefined : argument.slice(equals + 1);
    if (text === undefined && named?.setting.onOff) text = String(named.flag === flag);
    else if (text === undefined && argv[i + 1]?.startsWith('--') === false) text = argv[++i];

    if (!named && flag !== '--config')
      problems.push(`unknown flag ${flag}${didYouMean(flag, [...byFlag.keys(), '--config'])}`);
    else if (text === undefined) problems.push(`${flag} needs a value`);
    else if (!named) file = text;
    else found.set(named.key, add(named, found.get(named.key), text));
  }
  return { found, problems, warnings: [], file };
}

/** The setting that `--no-…` switches off. */
function negated(flag: string, byFlag: ReadonlyMap<string, NamedSetting>): NamedSetting | undefined {
  const named = flag.startsWith('--no-') ? byFlag.get(flag.replace('--no-', '--')) : undefined;
  return named?.setting.onOff ? named : undefined;
}

function add({ flag, setting }: NamedSetting, before: Found | undefined, text: string): Found {
  const joined = setting.many && typeof before?.text === 'string' ? `${before.text},${text}` : text;
  return { text: joined, source: { layer: 'flag', name: flag } };
}

/** The flags for `--help`: what each is written as, and what it means. */
export function flagHelp(): { flag: string; about: string }[] {
  return [
    {
      flag: '--config FILE',
      about: 'The YAML file to read. Otherwise ALDIS_CONFIG, or aldis.yaml in the working folder.',
    },
    ...ALL_SETTINGS.map(({ flag, setting }) => ({
      flag: setting.onOff ? flag : `${flag} VALUE`,
      about: `${setting.about}${setting.mask(setting.default) === '' ? '' : ` (${setting.mask(setting.default)})`}`,
    })),
  ];
}

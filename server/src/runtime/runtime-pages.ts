import { UNUSED_KEYS, UNUSED_VARIABLES } from './documented-names.ts';
import { MOST_SERIES } from './meters.ts';
import { createMetrics } from './metrics.ts';
import { PROFILE_NAMES, PROFILES } from './profiles.ts';
import type { Alias } from './setting.ts';
import { ALL_SETTINGS, type NamedSetting } from './settings.ts';

/**
 * The files that are made from the settings and the metrics, by their path in the project: `npm run generate` writes
 * them, and a test holds the committed ones equal.
 */
export function runtimePages(): Record<string, string> {
  return {
    'docs/configuration.md': referencePage(),
    'docs/metrics.md': metricsPage(),
    'config.example.yaml': exampleYaml(),
    '.env.example': exampleEnvironment(),
  };
}

const GENERATED = 'Made from server/src/runtime/settings.ts by `npm run generate`. Do not edit.';
const GENERATED_METRICS = 'Made from server/src/runtime/metrics.ts by `npm run generate`. Do not edit.';

function referencePage(): string {
  const page = [
    '# Configuration',
    '',
    `<!-- ${GENERATED} -->`,
    '',
    'Each setting has a default. Over the defaults lie those of a [profile](#profiles), when one is named, over these a YAML',
    'file, over that the environment, over that the flags of `aldis start`. The file is the one that `--config` or',
    '`ALDIS_CONFIG` names, else `aldis.yaml` in the working folder.',
    'In the file a key is nested (`port` under `server`) or joined by dots (`server.port`). In the environment an empty',
    'variable counts as absent, and the items of a list are parted by commas.',
    '',
    '`npm start` and its like also take variables from a file `.env` in the project; those of the shell win.',
    '',
    'An unknown key, flag or `ALDIS_*` variable is an error that names the near ones. All errors are told at once.',
    '`npm run aldis -- config` prints the effective values and where each comes from, secrets masked.',
    '',
    'Times are written with their unit, as `500ms`, `5s`, `1m30s`, `24h` or `30d`; sizes as `4MiB` (1024 each), `4MB` (1000',
    'each) or a number of bytes.',
    '',
    'Where a setting has several variables or keys, the first that is set wins. Those behind the first are the names that',
    'other services document; those that end in `_SECONDS` are plain numbers, and of retries (`+ 1`) the first attempt is',
    'none. Give secrets by file or environment: every user of the machine can read the flags of a process.',
    '',
    'A database may be named whole (`database.url`) or in parts (`database.host` and what stands beside it); both at once are',
    'an error, unless one stands in a higher layer. A user and a password that an address lacks come from `database.user`',
    'and `database.password`, that is from `PGUSER` and `PGPASSWORD` as well.',
    '',
    'With `server.tls` the server speaks HTTPS only, and reads both files again when they change; a pair that does not fit is',
    'logged, and the old one stays. The command line trusts a certificate that no public authority signed when',
    '`NODE_EXTRA_CA_CERTS` names the file of who signed it; the simulator that is run beside the server trusts ours.',
    '',
    ...profileTable(),
    ...unusedTable(),
  ];
  for (const [section, settings] of sections()) {
    page.push(`## ${section === '' ? 'General' : section}`, '');
    page.push('| key | default | may be | variables | flag | what it means |', '|---|---|---|---|---|---|');
    for (const { key, setting, variable, flag } of settings) {
      const fallback = setting.show(setting.default);
      const keys = [code(key), ...setting.keys.map(shown)].join(', ');
      const variables = [code(variable), ...setting.aliases.map(shown)].join(', ');
      const written = setting.onOff ? `${code(flag)}, ${code(flag.replace('--', '--no-'))}` : code(flag);
      const about = `${setting.about}${setting.secret ? ' Secret.' : ''}`;
      const cells = [keys, fallback === '' ? 'none' : code(fallback), setting.expects, variables, written, about];
      page.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    }
    page.push('');
  }
  return page.join('\n');
}

/** Ours beside those of the services, for every setting that a profile changes. */
function profileTable(): string[] {
  const [ours, ...others] = PROFILE_NAMES;
  const rows = ALL_SETTINGS.filter(({ key }) => others.some((name) => PROFILES[name][key] !== undefined));
  return [
    '## Profiles',
    '',
    '`--profile NAME` (`ALDIS_PROFILE`, `profile` in the file) takes the defaults that a service documents: `bulk` those of',
    'bulk-service, `sender` of sender-service, `chat` of chat-service, `queue` of queue-service, `batch` of batch-processor.',
    'What is set anywhere goes before. `aldis config` shows which value comes from a profile. Where a column is empty, ours',
    'holds. The address to listen on stays `127.0.0.1`, and what is not named (a database, Redis, Kafka, another service) is',
    'off, whatever the profile.',
    '',
    `| setting | ${[ours, ...others].join(' | ')} |`,
    `|---|${PROFILE_NAMES.map(() => '---|').join('')}`,
    ...rows.map(({ key, setting }) => {
      const values = others.map((name) => PROFILES[name][key]).map((value) => (value === undefined ? '' : code(value)));
      const fallback = setting.show(setting.default);
      return `| ${[code(key), fallback === '' ? 'none' : code(fallback), ...values].join(' | ')} |`;
    }),
    '',
  ];
}

function unusedTable(): string[] {
  const rows = [
    ...UNUSED_VARIABLES.map(({ name, why }) => [name.split(', ').map(code).join(', '), 'variable', why]),
    ...UNUSED_KEYS.map(({ name, why }) => [code(name), 'key', why]),
  ];
  return [
    '## Read and not used',
    '',
    'These names of the documented services do nothing here; a line in the log tells so at start.',
    '',
    '| name | in | why |',
    '|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ];
}

function shown({ name, plus = 0 }: Alias): string {
  return plus === 0 ? code(name) : `${code(name)} + ${plus}`;
}

function exampleYaml(): string {
  const file = [
    `# ${GENERATED}`,
    '# Every setting with its default. Copy this file to aldis.yaml and take the # from the lines you change,',
    '# and from the section above them.',
    '',
  ];
  for (const [section, settings] of sections()) {
    if (section !== '') file.push(`# ${section}:`);
    let above: readonly string[] = section === '' ? [] : [section];
    for (const { path, setting } of settings) {
      const parents = path.slice(0, -1);
      for (const [depth, name] of parents.entries()) {
        if (above[depth] !== name) file.push(`# ${'  '.repeat(depth)}${name}:`);
      }
      above = parents;
      const fallback = setting.show(setting.default);
      file.push(
        ...comment(setting.about, setting.expects, setting.keys),
        `# ${'  '.repeat(parents.length)}${path.at(-1)}:${fallback === '' ? '' : ` ${fallback}`}`,
      );
    }
    file.push('');
  }
  return file.join('\n');
}

function exampleEnvironment(): string {
  const file = [
    `# ${GENERATED}`,
    '# Every variable with its default. Copy this file to .env and take the # from the lines you change.',
    '',
  ];
  for (const { variable, setting } of ALL_SETTINGS) {
    file.push(
      ...comment(setting.about, setting.expects, setting.aliases),
      `# ${variable}=${setting.show(setting.default)}`,
      '',
    );
  }
  return file.join('\n');
}

function metricsPage(): string {
  const page = [
    '# Metrics',
    '',
    `<!-- ${GENERATED_METRICS} -->`,
    '',
    '`GET /metrics` gives them in the text format of Prometheus, to whoever has a key, or to all with `metrics.public`.',
    `A metric keeps at most ${MOST_SERIES} combinations of label values; what comes after is counted under \`other\`. Node's own`,
    'metrics are there too: `aldis_process_*` and `aldis_nodejs_*`, among them `aldis_nodejs_eventloop_lag_seconds`.',
    '',
    '| metric | type | labels | what it tells |',
    '|---|---|---|---|',
  ];
  for (const { name, type, labels, help } of createMetrics({ version: '', node: false }).described) {
    page.push(`| ${code(name)} | ${type} | ${labels.map(code).join(', ')} | ${help} |`);
  }
  return `${page.join('\n')}\n`;
}

/** Settings by the first name of their key; those without a section under an empty one, first. */
function sections(): [string, NamedSetting[]][] {
  const found = new Map<string, NamedSetting[]>([['', []]]);
  for (const named of ALL_SETTINGS) {
    const section = named.path.length > 1 ? String(named.path[0]) : '';
    found.set(section, [...(found.get(section) ?? []), named]);
  }
  return [...found];
}

/** What a setting means and may be, and its other names, in lines of at most 100 characters that begin with `##`. */
function comment(about: string, expects: string, aliases: readonly Alias[]): string[] {
  const also = aliases.length === 0 ? '' : ` Also: ${aliases.map(({ name }) => name).join(', ')}.`;
  const lines: string[] = [];
  let line = '##';
  for (const word of `${about} May be: ${expects}.${also}`.split(' ')) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line);
      line = '##';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function code(value: string): string {
  return `\`${value}\``;
}

import type { Entry, Service } from './ledger.ts';

const NOTE =
  'Aldis without a profile has the values of its own column; `--profile NAME` sets those of the column of that name. – is none: no limit, no pace, no such service. An empty cell is not documented there, and stays as Aldis has it. Attempts are retries and the first one: 3 documented retries are 4 attempts, and without a number a message is tried until it expires.';

/** Every setting that a service documents a default of: Aldis's own beside each documented one. */
export function defaultsTable(services: readonly Service[]): string {
  const columns = services.map(({ profile }) => profile);
  const defaults = services.flatMap(({ entries }) => entries).filter(({ kind, sets }) => kind === 'default' && sets);
  const rows = [...Map.groupBy(defaults, ({ sets }) => String(sets))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([setting, those]) => {
      const [first] = those;
      const cells = columns.map((profile) => cellOf(those.find((entry) => entry.profile === profile)));
      return `| \`${setting}\` | ${value(first?.ours)} | ${cells.join(' | ')} |`;
    });
  const head = `| setting | Aldis | ${columns.map((profile) => `\`${profile}\``).join(' | ')} |`;
  return [NOTE, [head, `|---|---|${'---|'.repeat(columns.length)}`, ...rows].join('\n')].join('\n\n');
}

/** What the profile sets; where it differs on purpose, also what is documented. */
function cellOf(entry: Entry | undefined): string {
  if (!entry) return '';
  const documented = entry.name.split(' ').at(-1) ?? '';
  return entry.verdict === 'works' ? value(entry.shows) : `${value(entry.shows)} (documented: ${documented})`;
}

function value(text: string | undefined): string {
  return text ? text : '–';
}

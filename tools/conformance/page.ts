import { defaultsTable } from './defaults-table.ts';
import type { Entry, Service } from './ledger.ts';

/** Kinds whose names are typed somewhere, and stand as code. */
const CODE: ReadonlySet<string> = new Set(
  'request field query header answer status error record env yaml call header-sent field-sent field-read event client-event command log'.split(
    ' ',
  ),
);

/** Kinds that belong to a request, and are told with it. */
const OF_REQUESTS: ReadonlySet<string> = new Set(['field', 'query', 'answer', 'status', 'error', 'record', 'text']);

const HEAD = `# Switching to Aldis

<!-- Made from docs/compat.yaml by \`npm run conformance -- write\`. Do not edit. -->

For whoever runs one of five services today: [bulk-service](#bulk-service), [sender-service](#sender-service),
[queue-service](#queue-service), [batch-processor](#batch-processor), [chat-service](#chat-service). A request that one of them
documents works here as written, with one header more, the key. What works otherwise, what was left behind and what comes
later is listed below; nothing documented is silently missing. \`npm run conformance\` asks a running Aldis every request that
stands here as working, and compares the answer with the documented one. \`aldis COMMAND\` is
\`npm run --silent aldis -- COMMAND\` in the project's folder.

## For all of them

- **The key.** Each request carries \`Authorization: Bearer KEY\` or \`X-API-Key: KEY\`. The first start makes one; it stands in \`credentials.json\` in the data folder, beside an operator's key. \`aldis key create\` makes more. \`/health\` and \`/ready\` need none.
- **The profile.** \`--profile bulk|sender|queue|batch|chat\` (or \`ALDIS_PROFILE\`, or \`profile\` in the file) sets a service's own defaults: port, retries, pace. The table at the end has them all.
- **Names and files you have.** The documented variables are read under their own names, and the documented YAML files start Aldis as they stand. A name without use here is told at start and does no harm; any other unknown name is an error.
- **Ids you have.** Tenants and senders (outlets, accounts) may have your own id beside ours, the external id; both find them. A conversation takes the id that the request gives it.
- **Nothing is sent by half.** An unknown field is 400 \`unknown_field\`, so that a slip of the pen is told, and not lost.
- **Errors** have one shape, \`{"error", "code", "message", "details", "request_id"}\`, with the documented statuses and texts. [errors.md](errors.md) lists them.
- **States.** \`status\` has the documented word; \`state\` beside it the true one, which knows more of them. [states.md](states.md) draws them.`;

/** docs/compatibility.md: what a user of one of the services reads before switching. */
export function compatibilityPage(services: readonly Service[]): string {
  const documented = services.filter(({ shared }) => !shared);
  const decided = services.filter(({ shared }) => shared);
  const parts = [
    HEAD,
    ...documented.map(sectionOf),
    ...decided.map((service) => sharedSection(service)),
    '## Defaults, side by side',
    defaultsTable(documented),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sharedSection(service: Service): string {
  const works = otherThings(service.entries).join('\n');
  return [`## ${service.title}`, service.about, works, ...verdictTables(service)].join('\n\n');
}

function sectionOf(service: Service): string {
  const { title, about, port, profile, entries } = service;
  const requests = entries.filter(({ kind, verdict }) => kind === 'request' && verdict === 'works');
  return [
    `## ${title}`,
    `${about} Profile \`${profile}\`${port === null ? '' : `, port ${port}`}.`,
    '### To switch',
    service.switch.map((step) => `- ${step}`).join('\n'),
    ...(service.shell === '' ? [] : [`\`\`\`sh\n${service.shell.trim()}\n\`\`\``]),
    '### Works as documented',
    [...requests.map((request) => `- ${requestLine(request, entries)}`), ...otherThings(entries)].join('\n'),
    ...configuration(service),
    ...verdictTables(service),
  ].join('\n\n');
}

/** A request with everything documented of it that works. */
function requestLine({ name }: Entry, entries: readonly Entry[]): string {
  const of = (kind: string) =>
    entries
      .filter((entry) => entry.kind === kind && entry.verdict === 'works' && entry.name.startsWith(`${name} `))
      .map((entry) => entry.name.slice(name.length + 1));
  const parts = [
    told('body', of('field')),
    told('query', of('query')),
    told('answers', of('status')),
    told('with', of('answer')),
    told('errors', of('error')),
  ];
  const all = parts.filter((part) => part !== '');
  return all.length === 0 ? `\`${name}\`` : `\`${name}\`: ${all.join('; ')}`;
}

function told(word: string, names: readonly string[]): string {
  // A whole stands for itself only when none of its parts is named.
  const leaves = names.filter((name) => !names.some((other) => other.startsWith(`${name}.`)));
  return leaves.length === 0 ? '' : `${word} ${leaves.map(code).join(', ')}`;
}

/** What else works, by kind. */
function otherThings(entries: readonly Entry[]): string[] {
  return Object.entries(OTHER_KINDS).flatMap(([kind, words]) => {
    const names = entries
      .filter((entry) => entry.kind === kind && entry.verdict === 'works')
      // A frame is told as a whole.
      .filter(({ name }) => !(kind.endsWith('event') && name.includes(' payload')))
      .map(nameOf);
    return names.length === 0 ? [] : [`- ${words}: ${names.join('; ')}`];
  });
}

const OTHER_KINDS: Readonly<Record<string, string>> = {
  record: 'The fields of a message',
  state: 'Words for states and directions',
  type: 'Types',
  format: 'File formats',
  call: 'What is asked of other services',
  event: 'Frames that a socket tells, with every documented field',
  'client-event': 'Frames that a client sends',
  metric: 'Metrics and figures',
  limit: 'Limits and rates',
  behaviour: 'Behaviour',
  planned: 'Planned there, here already',
  log: 'Fields of log entries',
  rule: 'Held by an example or a test',
};

/** The documented names of settings, with ours. */
function configuration({ entries }: Service): string[] {
  const named = entries.filter(({ kind, sets }) => (kind === 'env' || kind === 'yaml') && sets !== undefined);
  if (named.length === 0) return [];
  const rows = named.map((entry) => `| ${nameOf(entry)} | ${code(String(entry.sets))} |`);
  return ['### Configuration', ['| documented | the setting here |', '|---|---|', ...rows].join('\n')];
}

/** What does not work as written: a table for each verdict, names with the same reason in one line. */
function verdictTables({ entries }: Service): string[] {
  return [
    ...verdictTable(
      'Read as',
      'documented | read as',
      entries.filter((entry) => entry.verdict === 'read as'),
    ),
    ...verdictTable(
      'Not kept',
      'documented | why',
      entries.filter((entry) => entry.verdict === 'not kept'),
    ),
    ...verdictTable(
      'Later',
      'documented | when',
      entries.filter((entry) => entry.verdict === 'later'),
    ),
  ];
}

function verdictTable(title: string, columns: string, entries: readonly Entry[]): string[] {
  const byReason = Map.groupBy(
    entries.filter((entry) => !entries.some((request) => isPartOf(entry, request))),
    ({ as, why }) => as ?? why ?? '',
  );
  if (byReason.size === 0) return [];
  const rows = [...byReason].map(([reason, those]) => {
    const names = [...new Set(those.map(nameOf))];
    return `| ${names.join('; ')} | ${cell(reason)} |`;
  });
  return [`### ${title}`, [`| ${columns} |`, '|---|---|', ...rows].join('\n')];
}

/** Whether the one is a field of the other, and so is told with it. */
function isPartOf({ kind, name }: Entry, whole: Entry): boolean {
  if (OF_REQUESTS.has(kind)) return whole.kind === 'request' && name.startsWith(`${whole.name} `);
  return kind.endsWith('event') && whole.kind === kind && name.startsWith(`${whole.name} payload`);
}

function nameOf({ kind, name, service }: Entry): string {
  const typed = CODE.has(kind) || /^[a-z]+(_[a-z]+)+$/.test(name) || (service === 'queue-service' && kind === 'state');
  return typed ? code(name) : cell(name);
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** A bar would end the cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

import type { IRegularForbiddenRuleType } from 'dependency-cruiser';

/**
 * The import rules: who may know whom. ARCHITECTURE.md tells the rooms in words; this file is what holds them.
 * Paths are relative to the repository, with `/`. Each rule carries its reason, which is what a breach prints, and each
 * has at least one planted violation in `planted/` (see planted.test.ts), so that a rule that stopped working is noticed.
 */
export interface ImportRule extends IRegularForbiddenRuleType {
  name: string;
  /** The reason. */
  comment: string;
  severity: 'error';
}

type Room =
  | 'domain'
  | 'runtime'
  | 'db'
  | 'store'
  | 'net'
  | 'channels'
  | 'outside'
  | 'signals'
  | 'access'
  | 'actions'
  | 'http'
  | 'dispatch'
  | 'inbound'
  | 'fanout'
  | 'jobs';

interface RoomRule {
  may: readonly Room[];
  /** Rooms it may know by contract: types, never code. What stands behind the contract is handed in by boot/. */
  contracts?: readonly Room[];
  why: string;
}

/** Top knows bottom, never the other way round. main.ts, boot/ and cli/ are absent: they build things, and may know all. */
const ROOMS: Record<Room, RoomRule> = {
  domain: {
    may: [],
    why: 'Decisions are pure, so that sending, planning and simulating run the same code and a test needs no server.',
  },
  runtime: {
    may: [],
    why: 'Configuration, logger, clock and lifecycle serve everyone, so they can know no one.',
  },
  db: { may: ['runtime'], why: 'The pool moves rows; what the rows mean is told above it, in store/.' },
  store: { may: ['db', 'domain', 'runtime'], why: 'SQL by noun; who calls it, and when, is decided above.' },
  net: { may: ['runtime'], why: 'One HTTP client with one guard against private addresses, for whatever is called.' },
  channels: {
    may: ['net', 'domain', 'runtime'],
    why: 'A channel speaks to its provider and tells what came of it. Without a database it can be tried alone.',
  },
  outside: {
    may: ['net', 'domain', 'runtime'],
    why: 'A foreign service is reached through a small contract, and knows nothing of how we store things.',
  },
  signals: {
    may: ['domain', 'runtime'],
    why: 'A signal only says that something changed. One that read or wrote would have to be right; it may be lost.',
  },
  access: {
    may: ['store', 'domain', 'runtime'],
    contracts: ['db', 'outside'],
    why: 'Who asks and what they may: look-ups and checks. It changes nothing, so it needs no action.',
  },
  actions: {
    may: ['store', 'signals', 'db', 'domain', 'runtime'],
    why: 'One transaction each. No action waits for the network: the intent is stored, and a loop performs it.',
  },
  http: {
    may: ['actions', 'access', 'signals', 'store', 'domain', 'runtime'],
    contracts: ['db', 'channels', 'outside'],
    why: 'A route checks the shape, asks who it is, and calls an action. It sends nothing itself.',
  },
  dispatch: {
    may: ['actions', 'signals', 'store', 'domain', 'runtime'],
    contracts: ['db', 'channels'],
    why: 'The sending loop is the same for every channel: it knows the contract, not the provider.',
  },
  inbound: {
    may: ['actions', 'signals', 'store', 'domain', 'runtime'],
    contracts: ['db', 'channels'],
    why: 'The receiving loop is the same for every channel: it knows the parser by contract.',
  },
  fanout: {
    may: ['actions', 'access', 'signals', 'store', 'outside', 'net', 'domain', 'runtime'],
    contracts: ['db'],
    why: 'It reads events from a position and hands them on. It does not know how they came about.',
  },
  jobs: {
    may: ['actions', 'signals', 'store', 'domain', 'runtime'],
    contracts: ['db', 'channels', 'outside'],
    why: 'Slow work goes by the same actions and contracts as quick work.',
  },
};

const ENTRY_ROOMS: readonly Room[] = ['http', 'dispatch', 'inbound', 'fanout', 'jobs'];

interface Driver {
  /** npm packages. */
  packages: readonly string[];
  /** Folders that may import them, beside the tests. */
  owners: readonly string[];
  why: string;
}

/** Third-party code that reaches outside the process, or shapes all that touches it: one owner each. */
const DRIVERS: readonly Driver[] = [
  {
    packages: ['pg'],
    owners: ['server/src/db/', 'bench/'],
    why: 'Time-outs, prepared names and error classes of the database are settled in one place.',
  },
  {
    packages: ['undici'],
    owners: ['server/src/net/', 'simulator/src/', 'bench/'],
    why: "Its own retries, redirects and open addresses are dangers to a message sent once and to users' URLs.",
  },
  {
    packages: ['fastify', '@fastify/swagger'],
    owners: ['server/src/http/', 'simulator/src/', 'bench/'],
    why: 'Nothing below the door may depend on how a request looks.',
  },
  {
    packages: ['pino', 'pino-pretty'],
    owners: ['server/src/runtime/'],
    why: 'What may be logged, and what is masked, is decided once.',
  },
  {
    packages: ['prom-client'],
    owners: ['server/src/runtime/'],
    why: 'The names of metrics are a promise to operators: one registry, one list.',
  },
  {
    packages: ['yaml'],
    owners: ['server/src/runtime/', 'tools/conformance/'],
    why: 'Only configuration is written in YAML, and only one file reads configuration; the ledger of compatibility is the other.',
  },
  {
    packages: ['file-type', '@aws-sdk/client-s3', '@aws-sdk/lib-storage'],
    owners: ['server/src/outside/'],
    why: 'Where files lie, and what they are, is known by contract everywhere else.',
  },
  {
    packages: ['@redis/client'],
    owners: ['server/src/outside/'],
    why: 'When it is given up, reconnected and refused is settled in one file; everywhere else Redis is known by contract.',
  },
  {
    packages: ['@platformatic/kafka'],
    owners: ['server/src/outside/', 'bench/'],
    why: 'What a broker acknowledges, and what is sent again, is decided in one place.',
  },
  {
    packages: ['range-parser', 'content-disposition', '@fastify/multipart'],
    owners: ['server/src/http/'],
    why: 'Forms, ranges and the names of files are how requests look.',
  },
  {
    packages: ['ws'],
    owners: ['server/src/fanout/websocket/', 'bench/', 'tools/conformance/'],
    why: 'How much a socket may hold, send and keep waiting is decided in one place.',
  },
  {
    packages: ['jose'],
    owners: ['server/src/access/'],
    why: 'Which tokens are believed is decided in one place.',
  },
  { packages: ['commander'], owners: ['server/src/cli/'], why: 'The service has no command line; the program has.' },
  { packages: ['csv-parse'], owners: ['server/src/cli/'], why: 'The service takes JSON; CSV is read at the client.' },
  { packages: ['csv-stringify'], owners: ['server/src/jobs/'], why: 'Only an export is written as CSV.' },
  { packages: ['cli-progress'], owners: ['server/src/cli/'], why: 'Only a person at a terminal watches a bar.' },
  {
    packages: ['libphonenumber-js'],
    owners: ['server/src/cli/', 'server/src/domain/country'],
    why: 'The service takes E.164 only. Guessing a country is for whoever imports, with a default they named; one file tells it.',
  },
];

const src = (rooms: readonly string[]) => `^server/src/(${rooms.join('|')})/`;
const npm = (packages: readonly string[]) => `(^|node_modules/)(@types/)?(${packages.join('|')})(/|$)`;
const TESTS = '^(server|client|simulator|bench)/test/';

function roomRule(room: Room): ImportRule {
  const { may, contracts = [], why } = ROOMS[room];
  // Some targets have a rule with a better reason of their own: one breach, one message.
  const otherRules = ENTRY_ROOMS.includes(room) ? ENTRY_ROOMS : [];
  const known = may.length + contracts.length === 0 ? 'nothing' : [...may, ...contracts].join(', ');
  return {
    name: `room-${room}`,
    severity: 'error',
    comment: `${room}/ may know: ${known}. ${why}`,
    from: { path: src([room]) },
    to: { path: '^server/src/', pathNot: [src([room, ...may, ...contracts, ...otherRules, 'boot', 'cli']), PROGRAM] },
  };
}

function driverRule({ packages, owners, why }: Driver): ImportRule {
  const name = (packages[0] ?? '').replace(/[^a-z-]/g, '');
  return {
    name: `driver-${name}`,
    severity: 'error',
    comment: `${packages.join(', ')}: only in ${owners.join(', ')}. ${why}`,
    from: { pathNot: [`^(${owners.join('|')})`, TESTS, 'node_modules'] },
    to: { path: npm(packages) },
  };
}

const PROGRAM = '^(server|simulator|bench)/src/main\\.ts$';

const contractRules = (Object.keys(ROOMS) as Room[])
  .filter((room) => ROOMS[room].contracts)
  .map(
    (room): ImportRule => ({
      name: `contract-${room}`,
      severity: 'error',
      comment: `${room}/ knows ${ROOMS[room].contracts?.join(', ')} by contract: \`import type\` only. boot/ hands the thing itself in, so that it can be another.`,
      from: { path: src([room]) },
      to: { path: src(ROOMS[room].contracts ?? []), dependencyTypesNot: ['type-only'] },
    }),
  );

/** All rules. */
export const RULES: readonly ImportRule[] = [
  ...(Object.keys(ROOMS) as Room[]).map(roomRule),
  ...contractRules,
  ...DRIVERS.map(driverRule),
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'Files that import each other are one file in several pieces: none can be read, tried or changed alone.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'only-actions-write',
    severity: 'error',
    comment:
      'Every change of state is one action in one transaction with its event. A write elsewhere would have none.',
    from: { path: '^server/src/', pathNot: [src(['actions', 'store'])] },
    to: { path: '^server/src/store/.+\\.write\\.ts$' },
  },
  {
    name: 'reads-do-not-write',
    severity: 'error',
    comment: 'Whoever may read the store imports a *.read; if that reached a *.write, reading would be writing.',
    from: { path: '^server/src/store/', pathNot: '\\.write\\.ts$' },
    to: { path: '^server/src/store/.+\\.write\\.ts$' },
  },
  {
    name: 'entry-rooms-apart',
    severity: 'error',
    comment: 'Each entry room can run in a process of its own: they meet in the store and by signals, never in code.',
    from: { path: '^server/src/(http|dispatch|inbound|fanout|jobs)/' },
    to: { path: src(ENTRY_ROOMS), pathNot: '^server/src/$1/' },
  },
  {
    name: 'channels-apart',
    severity: 'error',
    comment: 'A channel can be added, tried and removed alone. What two of them share belongs in domain/ or net/.',
    from: { path: '^server/src/channels/([^/]+)/' },
    to: { path: '^server/src/channels/[^/]+/', pathNot: '^server/src/channels/$1/' },
  },
  {
    name: 'nobody-imports-programs',
    severity: 'error',
    comment: 'main.ts and cli/ build things. Whoever imported them would build the whole program by being read.',
    from: { pathNot: ['^server/src/cli/', TESTS] },
    to: { path: [PROGRAM, '^server/src/cli/'] },
  },
  {
    name: 'nobody-imports-boot',
    severity: 'error',
    comment:
      'boot/ joins the rooms together, for main.ts and for nobody else: a part that built its neighbours could not be tried without them.',
    from: { pathNot: ['^server/src/boot/', '^server/src/main\\.ts$', TESTS] },
    to: { path: '^server/src/boot/' },
  },
  {
    name: 'domain-is-pure',
    severity: 'error',
    comment:
      'No I/O and no package in domain/ but the numbering plans, which are data; nothing of Node but its hashes and random bytes.',
    from: { path: src(['domain']) },
    to: {
      dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
      pathNot: ['^(node:)?crypto$', 'node_modules/libphonenumber-js/'],
    },
  },
  {
    name: 'http-clients-owned',
    severity: 'error',
    comment:
      "Node's own HTTP modules stay at the two ends of the network, http/ and net/: elsewhere they pass the guard by.",
    from: { path: '^server/src/', pathNot: src(['http', 'net']) },
    to: { dependencyTypes: ['core'], path: '^(node:)?(http|https|http2)$' },
  },
  {
    name: 'environment-in-one-place',
    severity: 'error',
    comment: 'runtime/ reads the environment, as the global `process`: an imported one would pass the linter by.',
    from: { path: '^(server|client|simulator|bench)/' },
    to: { dependencyTypes: ['core'], path: '^(node:)?process$' },
  },
  {
    name: 'server-knows-no-simulator',
    severity: 'error',
    comment:
      'The service meets its provider over HTTP only, so that the real one and the simulated one are the same to it.',
    from: { path: '^server/src/' },
    to: { path: '^simulator/' },
  },
  {
    name: 'simulator-knows-no-server',
    severity: 'error',
    comment: "A provider that shared our code would share our mistakes: it follows Meta's documents, not ours.",
    from: { path: '^simulator/' },
    to: { path: '^server/' },
  },
  {
    name: 'client-stands-alone',
    severity: 'error',
    comment:
      'The client goes into pages of others: it knows the API and no code of ours, no package, and nothing of Node. Its types are made of docs/openapi.json.',
    from: { path: '^client/src/' },
    to: { pathNot: '^client/src/' },
  },
  {
    name: 'nobody-knows-the-client',
    severity: 'error',
    comment:
      'What the service is proved by must not be the code that its customers run: only tests and benchmarks use both.',
    from: { path: '^(server|simulator)/src/' },
    to: { path: '^client/' },
  },
  {
    name: 'sources-know-no-tools',
    severity: 'error',
    comment: 'What is delivered stands alone: nothing in it needs tests, benchmarks, scripts or tools.',
    from: { path: '^(server|simulator)/src/' },
    to: { path: ['^(bench|scripts|tools)/', TESTS] },
  },
  {
    name: 'no-barrels',
    severity: 'error',
    comment: 'An index file hides where a thing lives and makes cycles. Import the file that has it.',
    from: {},
    to: { path: '(^|/)index\\.[cm]?[jt]s$', pathNot: 'node_modules' },
  },
  {
    name: 'names-say-something',
    severity: 'error',
    comment: 'A file is called after its noun. utils, helpers, common, lib, interfaces collect whatever has none.',
    from: {},
    to: { path: '(^|/)(utils?|helpers?|common|libs?|interfaces?)(/|\\.[cm]?[jt]s$)', pathNot: 'node_modules' },
  },
];

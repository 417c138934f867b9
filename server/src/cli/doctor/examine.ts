import { type LoadedConfig, loadConfig } from '../../runtime/config.ts';
import { StartError } from '../../runtime/start-error.ts';
import { version } from '../../version.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { openToRead } from '../open-database.ts';
import type { Output } from '../output.ts';
import { checkAccounts } from './account-checks.ts';
import { checkDatabase } from './database-checks.ts';
import { checkDoubts } from './doubt-checks.ts';
import { checkFiles } from './file-checks.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';
import { checkFolder } from './folder-checks.ts';
import { checkHolds } from './hold-checks.ts';
import { checkInstances } from './instance-checks.ts';
import { checkSenders } from './sender-checks.ts';
import { checkServer, checkWebhook, type LastStart, readLastStart } from './server-checks.ts';

/**
 * Looks at everything the server needs and prints what was found. Changes nothing; an embedded database that nobody runs
 * is started for the look.
 * @param flags settings, as those of start
 * @returns the exit code: 1 when something fails
 * @throws {ConfigError} with all that is wrong in the configuration
 */
export async function examine(flags: readonly string[], output: Output): Promise<ExitCode> {
  const loaded = loadConfig({ argv: flags });
  const { config } = loaded;
  const last = readLastStart(config.data_dir);
  const server = await checkServer(config, last);
  const findings = [
    ...checkConfiguration(loaded),
    ...(await checkFolder(config)),
    ...(await checkFiles(config)),
    ...(await lookIntoDatabase(loaded, last, server.running)),
    ...server.findings,
    await checkWebhook(config, last, server.running),
  ];
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const counts = { ok: count('ok'), warn: count('warn'), fail: count('fail') };
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ status, name, message, advice }) => {
    const line = `${status.padEnd(4)}  ${name.padEnd(width)}  ${message}`;
    return advice === undefined ? line : `${line}\n${' '.repeat(width + 8)}→ ${advice}`;
  });
  lines.push('', `${counts.ok} well, ${counts.warn} to be seen to, ${counts.fail} failing`);
  output.result({ version, node: process.versions.node, counts, findings }, lines.join('\n'));
  return counts.fail > 0 ? EXIT.failure : EXIT.ok;
}

function checkConfiguration({ config, file, warnings }: LoadedConfig): Finding[] {
  const found = ok('configuration', `valid, for ${config.environment}${file === null ? '' : `, with ${file}`}`);
  return [found, ...warnings.map((warning) => warn('configuration', warning, 'see docs/configuration.md'))];
}

async function lookIntoDatabase(loaded: LoadedConfig, last: LastStart, running: boolean): Promise<Finding[]> {
  const { config } = loaded;
  try {
    const { db, where, close } = await openToRead(loaded);
    try {
      const findings = await checkDatabase(db, where, config);
      const isCurrent = findings.some(({ name, status }) => name === 'encryption key' && status === 'ok');
      if (!isCurrent) return findings;
      const senders = await checkSenders(db, config, providerOf(loaded, last, running));
      const accounts = await checkAccounts(db);
      const instances = await checkInstances(db, config);
      return [
        ...findings,
        ...instances,
        ...senders,
        ...accounts,
        ...(await checkHolds(db)),
        await checkDoubts(db, config),
      ];
    } finally {
      await close();
    }
  } catch (error) {
    if (error instanceof StartError && config.database.url === null && /there is no database/.test(error.message)) {
      return [ok('database', 'none yet; the first start makes the embedded one')];
    }
    const advice = error instanceof StartError ? 'do that, then ask again' : 'see the log of PostgreSQL';
    return [fail('database', reasonOf(error), advice)];
  }
}

/** Where the numbers are known: at the simulator in development, which lives as long as the server, else at Meta. */
function providerOf({ config }: LoadedConfig, last: LastStart, running: boolean): string | null {
  const simulated = config.environment !== 'production' && (config.simulator.url ?? last.simulatorUrl);
  if (!simulated) return config.whatsapp.api_url;
  return config.simulator.url !== null || running ? simulated : null;
}

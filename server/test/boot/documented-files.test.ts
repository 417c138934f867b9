import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { credentials, dataFolder, startProgram } from './program.ts';

/* The files are those that the services document, as they stand; only ports and names that a test cannot have are set above. */
const DOCUMENTED = path.join(import.meta.dirname, '../runtime/documented');

async function health(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/health`);
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}

test("bulk-service's config.yaml starts it, on the PostgreSQL that it names", async (t) => {
  const database = await testDatabase({ migrated: false });
  t.after(() => database.drop());
  const { hostname, port, pathname, username, password, searchParams } = new URL(database.url);
  const folder = dataFolder(t);
  const program = startProgram(t, folder, {
    ALDIS_CONFIG: path.join(DOCUMENTED, 'bulk-config.yaml'),
    ALDIS_SERVER_HOST: '127.0.0.1',
    MSG_SVC_DATABASE_HOST: searchParams.get('host') ?? hostname,
    MSG_SVC_DATABASE_PORT: port || '5432',
    MSG_SVC_DATABASE_NAME: pathname.slice(1),
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
  });
  const { status, metrics } = await health(await program.ready);
  assert.deepEqual([status, metrics], ['healthy', { active_batches: 0, circuit_breaker_state: 'closed' }]);
  assert.match(
    program.stderr(),
    /configuration: .*bulk-config\.yaml:15: https:\/\/api\.whatsapp\.com\/v1 is not where/,
  );
  const [row] = await database.db.query<{ tenants: number }>({
    name: 'test_tenants',
    text: 'select count(*)::int as tenants from tenants',
  });
  assert.equal(row?.tenants, 1);
});

test("batch-processor's .config/dev.yaml starts it, and nothing of MongoDB is looked for", async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, { ALDIS_CONFIG: path.join(DOCUMENTED, 'batch-dev.yaml'), APP_ENV: 'dev' });
  const { service, environment } = await health(await program.ready);
  assert.deepEqual([service, environment], ['messaging-system', 'development']);
  assert.match(program.stderr(), /configuration: .*batch-dev\.yaml:10: mongo is not used: PostgreSQL is the one store/);
  assert.equal(credentials(folder).url, await program.ready);
});

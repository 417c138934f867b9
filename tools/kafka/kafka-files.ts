import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const POM = join(import.meta.dirname, 'pom.xml');
/** What Maven said the last time, for this version of the pom. */
const KNOWN = join(homedir(), '.m2', 'aldis-kafka-classpath');
/** Maven may have to fetch a hundred megabytes. Milliseconds. */
const PATIENCE = 240_000;

/** The files of Kafka as a class path, or why there are none. */
export type KafkaFiles = { classpath: string; skip: false } | { classpath: null; skip: string };

/**
 * The files of Kafka, or why there are none: for `skip`. In CI there must be. `ALDIS_TEST_KAFKA` names a file that has the class path.
 * @throws {Error} in CI, when Maven or Java is missing.
 */
export function kafkaFiles(): KafkaFiles {
  try {
    return { classpath: findClasspath(process.env['ALDIS_TEST_KAFKA']), skip: false };
  } catch (error) {
    const skip = `NO KAFKA: ${String(error)}; install Java 17 and Maven (apt-get install default-jre-headless maven)`;
    if (process.env['CI']) throw new Error(skip, { cause: error });
    return { classpath: null, skip };
  }
}

function findClasspath(named: string | undefined): string {
  if (named) return readFileSync(named, 'utf8').trim();
  if (spawnSync('java', ['-version']).status !== 0) throw new Error('no Java');
  const pom = readFileSync(POM, 'utf8');
  if (existsSync(KNOWN)) {
    const [forPom, classpath = ''] = readFileSync(KNOWN, 'utf8').split('\0');
    if (forPom === pom && classpath.split(delimiter).every((file) => existsSync(file))) return classpath;
  }
  const folder = mkdtempSync(join(tmpdir(), 'aldis-kafka-'));
  try {
    const answer = join(folder, 'classpath');
    const goal = ['-B', '-q', '-f', POM, 'dependency:build-classpath', `-Dmdep.outputFile=${answer}`];
    const asked = spawnSync('mvn', goal, { encoding: 'utf8', timeout: PATIENCE });
    if (asked.status !== 0) throw new Error(`Maven gave no Kafka: ${asked.error?.message ?? asked.stdout}`);
    const classpath = readFileSync(answer, 'utf8').trim();
    writeFileSync(KNOWN, `${pom}\0${classpath}`);
    return classpath;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

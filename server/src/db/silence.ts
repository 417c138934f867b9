import pg from 'pg';

/*
 * A connection may die without a word: a firewall forgets it, a host is gone. A statement on it would wait for ever, for the
 * driver has no limit that a long statement does not meet as well. So a statement that waits is asked after, over a
 * connection of its own:
 *
 *   nothing waits ──► one waits for SILENCE ──► asked: does its backend work on it? ── yes ──► waits on, asked after later
 *                                                 │                    └── no ──► its connection, and all idle ones, are cut
 *                                                 └─ no answer ──► cut; until somebody answers, statements fail at once
 *
 * What is cut fails as a lost connection does. Nothing here runs while no statement does.
 */

/** Watches the connections of one pool. */
export interface SilenceWatch {
  /** Notes that a statement is about to be given to the pool. @throws {Error} at once, while the database does not answer */
  begin(): void;
  /** Notes that a statement of an open transaction begins on this connection. */
  asked(client: pg.PoolClient): void;
  /** Notes that it has its answer: the connection is held without a statement. */
  answered(client: pg.PoolClient): void;
  close(): void;
}

/** Milliseconds that a statement waits before it is asked after. */
const SILENCE = 1_000;
/** How often it is looked, while statements run. */
const LOOK_EVERY = 500;
/** A look that comes so much later than it should sees what this process has missed, not what the database has: it is no look. */
const LATE = 500;
/** How long an answer to the question may take, in looks at what has come: a process that is kept from looking waits longer. */
const PATIENCE = 30;
const TURN = 100;
/** While nobody answers it is asked again and again, and each time waited for longer: nothing hangs on it then. */
const PATIENCE_IN_SILENCE = 50;
const MOST_QUESTIONS = 5;
/** An answer that was sent just before it was asked arrives within this. */
const UNDER_WAY = 100;
/** Longer than the server lets a statement work (`statement_timeout`): nobody will answer, whatever it says. */
const LONGEST = 40_000;

/** Of these backends, those that are at work. */
const AT_WORK = "select pid from pg_stat_activity where pid = any($1::int[]) and coalesce(state, '') not like 'idle%'";

interface Connection {
  /** Whether somebody has taken it from the pool. */
  held: boolean;
  /** Statements without an answer. */
  open: number;
  /** When the one that is under way began; null: none is. */
  since: number | null;
  /** Its statement is not asked after before. */
  trusted: number;
}

/** Who is at work, as far as can be known: nobody answers, or somebody whose numbers mean nothing to us. */
type Answer = ReadonlySet<number> | 'silent' | 'unclear';

/** @param where how the pool connects */
export function watchSilence(pool: pg.Pool, where: pg.ClientConfig, onError: (error: Error) => void): SilenceWatch {
  const connections = new Map<pg.PoolClient, Connection>();
  let timer: NodeJS.Timeout | undefined;
  let due = 0;
  let connecting: number | null = null;
  let lastAnswer = 0;
  let silent = false;
  let questions = 0;
  let closed = false;

  pool.on('connect', (client) => connections.set(client, { held: true, open: 0, since: null, trusted: 0 }));
  pool.on('remove', (client) => connections.delete(client));
  pool.on('acquire', asked);
  pool.on('release', (error, client) => {
    const connection = connections.get(client);
    if (error) connections.delete(client);
    else if (connection) {
      if (connection.open > 0) lastAnswer = performance.now();
      Object.assign(connection, { held: false, open: 0, since: null });
    }
  });

  function asked(client: pg.PoolClient): void {
    const connection = connections.get(client);
    if (!connection) return;
    connection.held = true;
    connection.open++;
    connection.since = performance.now();
    connection.trusted = connection.since + SILENCE;
  }

  function answered(client: pg.PoolClient): void {
    const connection = connections.get(client);
    if (!connection) return;
    lastAnswer = performance.now();
    connection.open--;
    connection.since = connection.open > 0 ? lastAnswer : null;
  }

  function begin(): void {
    if (silent) throw lost('the database does not answer');
    if (timer === undefined && !closed) lookSoon();
  }

  function lookSoon(): void {
    due = performance.now() + LOOK_EVERY;
    timer = setTimeout(() => void look(), LOOK_EVERY).unref();
  }

  async function look(): Promise<void> {
    const now = performance.now();
    if (now - due > LATE && !closed) return lookSoon();
    const busy = [...connections].filter(([, { since }]) => since !== null);
    connecting = pool.totalCount > connections.size ? (connecting ?? now) : null;
    const suspects = busy.filter(([, { trusted }]) => now > trusted);
    const late = connecting !== null && now - connecting > SILENCE;
    if (silent) {
      askWhetherBack();
      // They began a moment before it was known.
      for (const [client] of suspects) cutOff(client);
    } else if (late || suspects.length > 0) {
      await ask(suspects.map(([client, { since }]) => ({ client, since })));
    }
    const idle = busy.length === 0 && connecting === null && !silent;
    if (idle || closed) timer = undefined;
    else lookSoon();
  }

  function askWhetherBack(): void {
    if (questions === MOST_QUESTIONS) return;
    questions++;
    void whoIsAtWork(where, [], PATIENCE_IN_SILENCE).then((answer) => {
      questions--;
      if (answer !== 'silent') silent = false;
    });
  }

  async function ask(suspects: readonly { client: pg.PoolClient; since: number | null }[]): Promise<void> {
    const asked = performance.now();
    const backends = suspects.map(({ client }) => numberOf(client));
    let answer = await whoIsAtWork(where, backends, PATIENCE);
    // Others were answered meanwhile: it is there, and slow.
    if (answer === 'silent' && lastAnswer > asked) answer = 'unclear';
    if (answer === 'silent') {
      silent = true;
      onError(lost('the database does not answer'));
    }
    await new Promise((resolve) => setTimeout(resolve, UNDER_WAY));
    let cut = false;
    for (const { client, since } of suspects) {
      const connection = connections.get(client);
      // Answered meanwhile: it is well.
      if (since === null || connection?.since !== since) continue;
      const waited = performance.now() - since;
      const works = answer === 'unclear' || (answer !== 'silent' && answer.has(numberOf(client)));
      if (works && waited < LONGEST) {
        connection.trusted = performance.now() + waited;
        continue;
      }
      cutOff(client);
      cut = true;
    }
    if (!cut) return;
    // What lay idle meanwhile is as old, and nobody has tried it.
    for (const [client, { held }] of connections) if (!held) throwAway(client);
  }

  function cutOff(client: pg.PoolClient): void {
    connections.delete(client);
    client.connection.stream.destroy(lost('the connection to the database was silent'));
  }

  /** The pool lets go of an idle connection when it hears of an error on it, before anybody can take it. */
  function throwAway(client: pg.PoolClient): void {
    connections.delete(client);
    client.emit('error', lost('the connection to the database was silent'));
    client.connection.stream.destroy();
  }

  return {
    begin,
    asked,
    answered,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The backend's number, as the server told it when the connection was made. */
function numberOf(client: pg.Client): number {
  return (client as pg.Client & { processID: number | null }).processID ?? 0;
}

/** @param patience how many times it is looked whether an answer has come */
async function whoIsAtWork(where: pg.ClientConfig, backends: readonly number[], patience: number): Promise<Answer> {
  const client = new pg.Client(where);
  client.on('error', () => {
    // What is asked on it fails by itself.
  });
  const giveUp = (): void => void client.connection.stream.destroy(lost('the database does not answer'));
  let turns = 0;
  const late = setInterval(() => {
    if (++turns === patience) giveUp();
  }, TURN).unref();
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(AT_WORK, [[...backends, numberOf(client)]]);
    const atWork = new Set(rows.map(({ pid }) => pid));
    // It is at work itself. If not, a pooler stands in between and gives numbers of its own.
    return atWork.has(numberOf(client)) ? atWork : 'unclear';
  } catch (error) {
    // It refuses, and so it is there: no connection is left, or it is starting.
    return error instanceof pg.DatabaseError ? 'unclear' : 'silent';
  } finally {
    clearInterval(late);
    giveUp();
  }
}

function lost(what: string): Error {
  return Object.assign(new Error(what), { code: 'ETIMEDOUT' });
}

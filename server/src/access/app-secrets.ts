import type { Queryable } from '../db/pool.ts';
import type { AppSecrets } from '../domain/app-secrets.ts';
import type { Clock } from '../runtime/clock.ts';
import { listSealedApps, type SealedApp } from '../store/apps.read.ts';

/** The secrets of all apps, read together: an operator makes a handful. */
export interface AppDirectory {
  /** The secrets of an app; undefined: there is none. They are the same object until they change. */
  secretsOf(app: string): AppSecrets | undefined | Promise<AppSecrets | undefined>;
  /** Believes nothing any more: apps were changed. */
  forget(): void;
}

export interface AppDirectoryDeps {
  db: Queryable;
  clock: Clock;
  /** Opens the secrets of an app. */
  open: (app: SealedApp) => AppSecrets;
  /** Told when the secrets of an app cannot be opened: its webhooks are refused, those of others are not. */
  failed: (app: string, error: unknown) => void;
}

/** What was read is believed for 5 s; from 4 s on it is read again beside the requests, so that none waits for it. */
const BELIEVED = 5_000;
const FRESH = 4_000;
/** Whoever asks for names that are none has the store asked at most so often, however many he makes up. */
const UNKNOWN_EVERY = 1_000;

interface Known {
  row: SealedApp;
  secrets: AppSecrets;
}

/** Makes the directory of one instance. */
export function createAppDirectory({ db, clock, open, failed }: AppDirectoryDeps): AppDirectory {
  let apps: ReadonlyMap<string, Known> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let forgotten = 0;

  async function read(): Promise<void> {
    // What was read before a change was told of may be what was changed.
    for (let before = -1; before !== forgotten; ) {
      before = forgotten;
      await readAll();
    }
  }

  async function readAll(): Promise<void> {
    const now = clock.monotonic();
    const next = new Map<string, Known>();
    for (const row of await listSealedApps(db)) {
      const known = apps.get(row.id);
      if (known && isSame(known.row, row)) next.set(row.id, known);
      else {
        try {
          next.set(row.id, { row, secrets: open(row) });
        } catch (error) {
          failed(row.id, error);
        }
      }
    }
    apps = next;
    readAt = now;
  }

  function readOnce(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    secretsOf(app) {
      const age = clock.monotonic() - readAt;
      const known = apps.get(app);
      if (age > BELIEVED || (known === undefined && age > UNKNOWN_EVERY)) {
        return readOnce().then(() => apps.get(app)?.secrets);
      }
      // One that fails is tried again by the next request, and told of when none is believed any more.
      if (age > FRESH) readOnce().catch(() => {});
      return known?.secrets;
    },
    forget() {
      forgotten++;
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function isSame(one: SealedApp, other: SealedApp): boolean {
  const { previous_secret_sealed: a } = one;
  const { previous_secret_sealed: b } = other;
  return (
    one.app_secret_sealed.equals(other.app_secret_sealed) &&
    one.verify_token_sealed.equals(other.verify_token_sealed) &&
    (a === null || b === null ? a === b : a.equals(b)) &&
    one.previous_until?.getTime() === other.previous_until?.getTime()
  );
}

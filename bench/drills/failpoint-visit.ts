import { setTimeout as sleep } from 'node:timers/promises';
import type { Aldis } from '../src/product.ts';
import type { CarefulClient } from './careful-client.ts';

/** What a drill has that kills at failpoints. */
export interface Visitor {
  client: CarefulClient;
  log(text: string): void;
  start(env?: Record<string, string>): Promise<Aldis>;
  kills: number;
}

export interface FailpointVisit {
  name: string;
  /** Which passage kills. */
  passage: number;
  withinMs: number;
  /** Milliseconds between two turns. */
  every: number;
  /** Gives work that leads there; called turn after turn until Aldis is dead. */
  work(turn: number, aldis: Aldis): unknown;
  /** More settings of this start. */
  env?: Record<string, string>;
  /** Waited for when the turns are over. */
  afterwards?: () => Promise<unknown>;
}

/** Starts with one failpoint armed and gives work until Aldis dies of it; tells whether it did. */
export async function visitFailpoint(visitor: Visitor, visit: FailpointVisit): Promise<boolean> {
  const { client, log, start } = visitor;
  const rule = `${visit.name}=kill@${visit.passage}`;
  const hit = `failpoint ${visit.name} hit`;
  let aldis: Aldis;
  try {
    aldis = await start({ ...visit.env, ALDIS_FAILPOINTS: rule });
  } catch (error) {
    // Some are passed before it is ready: what was left open leads there.
    if (!String(error).includes(hit)) throw error;
    visitor.kills++;
    log(`${rule}: killed while starting`);
    return true;
  }
  await client.connect(aldis.credentials);
  let dead = false;
  const died = aldis.child.exited.then(() => {
    dead = true;
  });
  const end = performance.now() + visit.withinMs;
  for (let turn = 0; !dead && performance.now() < end; turn++) {
    await visit.work(turn, aldis);
    await Promise.race([died, sleep(visit.every)]);
  }
  await visit.afterwards?.();
  if (!dead) {
    log(`${rule}: not reached`);
    await aldis.child.kill();
    return false;
  }
  if (!aldis.child.errors().includes(hit)) throw new Error(`Aldis died by itself:\n${aldis.child.errors()}`);
  log(`${rule}: killed`);
  visitor.kills++;
  return true;
}

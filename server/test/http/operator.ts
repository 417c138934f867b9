import type { EngineWorld, TenantWorld } from '../engine-world.ts';
import { type Answer, type DoorWorld, doorWorld } from './door-world.ts';

/** Whoever asks with one key. */
export interface Asker {
  ask(method: string, path: string, body?: object | string, headers?: Record<string, string>): Promise<Answer>;
}

export function asker(world: DoorWorld, key: string): Asker {
  return {
    async ask(method, path, body, headers) {
      const response = await fetch(`${world.url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
    },
  };
}

/** A door with an operator, who has a tenant of his own. */
export interface OperatorWorld {
  world: DoorWorld;
  own: TenantWorld;
  operator: Asker;
}

export async function operatorWorld(): Promise<OperatorWorld> {
  const world = await doorWorld();
  const own = await world.tenant();
  return { world, own, operator: asker(world, await world.keyFor(own.tenant, ['admin'])) };
}

/** All that a table holds, as text: to look for what must not be in it, or to see that nothing was written. */
export async function tableText({ db }: EngineWorld, table: 'tenants' | 'senders' | 'api_keys'): Promise<string> {
  const rows = await db.query<{ text: string }>({
    name: `test_text_of_${table}`,
    text: `select coalesce(string_agg(t::text, e'\\n' order by t::text), '') as text from ${table} t`,
  });
  return rows[0]?.text ?? '';
}

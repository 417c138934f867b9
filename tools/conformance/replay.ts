import { type Example, idOf, type Service } from './ledger.ts';
import { differences } from './match.ts';
import { prepare, tidy, until } from './preparations.ts';
import { replaySocket } from './socket.ts';
import { ask, askOperator, openWorld, type World } from './world.ts';
import { fillIn, readAnswer, readRequest, replaceAll, valueAt, vary } from './written-text.ts';

/** What came of a service's examples. */
export interface Replayed {
  /** How many requests were asked. */
  asked: number;
  /** What fell short, a line each, or more than one with what was answered. */
  flaws: string[];
}

/** Asks a fresh Aldis everything that a service documents, and holds the answers against the documented ones. */
export async function replay(service: Service): Promise<Replayed> {
  let world: World;
  try {
    world = await openWorld(service);
  } catch (error) {
    return { asked: 0, flaws: [`${service.key}: its Aldis does not start: ${messageOf(error)}`] };
  }
  await using _closing = world;
  const flaws: string[] = [];
  let asked = 0;
  for (const example of service.examples) {
    for (const one of example.each ?? [null]) {
      const found = await tryExample(world, example, one ?? { what: '' });
      const title = one === null ? example.title : `${example.title}, ${one.what}`;
      flaws.push(...found.map((flaw) => `${service.key}, ${title}: ${flaw}`));
      asked++;
    }
  }
  if (service.socket) {
    const script = await replaySocket(world, service.socket);
    flaws.push(...script.flaws.map((flaw) => `${service.key}, its script: ${flaw}`));
    asked += script.asked;
  }
  flaws.push(...(await callFlaws(world, service)), ...(await metricFlaws(world, service)));
  return { asked, flaws };
}

async function tryExample(
  world: World,
  example: Example,
  { what, like = '' }: { what: string; like?: string },
): Promise<string[]> {
  const { before = [] } = example;
  try {
    const values = await prepare(world, before);
    return await askExample(world, example, { ...values, each: what, like });
  } catch (error) {
    return [messageOf(error)];
  } finally {
    tidy(world, before);
  }
}

async function askExample(world: World, example: Example, values: Record<string, string>): Promise<string[]> {
  const { method, path, headers, body } = readRequest(fillIn(replaceAll(example.request, example.replaced), values));
  const key: Record<string, string> = example.keyless ? {} : { authorization: `Bearer ${world.key}` };
  const reply = await ask(world.program.credentials.url, {
    method,
    path,
    headers: { ...key, ...headers },
    ...(body === null ? {} : { body }),
  });
  const documented = readAnswer(fillIn(example.answer, values), example.varies);
  const flaws = [
    ...(reply.status === documented.status ? [] : [`answered ${reply.status}, not ${documented.status}`]),
    ...differences(documented.body, reply.body),
    ...Object.entries(example.exact ?? {})
      .filter(([at, value]) => valueAt(reply.body, at) !== value)
      .map(([at, value]) => `${at} is ${JSON.stringify(valueAt(reply.body, at))}, not ${JSON.stringify(value)}`),
  ];
  const answered = JSON.stringify(reply.body) ?? '';
  return flaws.length === 0 ? [] : [`${flaws.join('; ')}\n    ${method} ${path} → ${answered.slice(0, 400)}`];
}

/** What the neighbours were not asked as documented. They may be asked after the answer, so they are waited for. */
async function callFlaws({ neighbours }: World, { key, calls }: Service): Promise<string[]> {
  const flaws = calls.map(async ({ title, of, request, replaced, varies = {} }) => {
    const documented = readRequest(vary(replaceAll(request, replaced), varies));
    const lacks = async () => (await neighbours.get(of)?.lacks(documented)) ?? [`${of} is not there`];
    try {
      await until(title, async () => ((await lacks()).length === 0 ? true : null));
      return [];
    } catch {
      return [`${key}, ${title}: ${of} ${(await lacks()).join('; ')}`];
    }
  });
  return (await Promise.all(flaws)).flat();
}

async function metricFlaws(world: World, { entries }: Service): Promise<string[]> {
  const metrics = entries.filter(({ kind, type }) => kind === 'metric' && type !== undefined);
  if (metrics.length === 0) return [];
  const text = String(await askOperator(world, { method: 'GET', path: '/metrics' }, 200));
  return metrics
    .filter(({ name, shows, type }) => !text.includes(`# TYPE ${shows ?? name} ${type}\n`))
    .map((entry) => `${idOf(entry)}: ${entry.shows ?? entry.name} is no ${entry.type} of GET /metrics`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** An ISO-8601 time in UTC, as the services document them and as Aldis answers them. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What stands for any value of a kind. */
const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  id: (value) => typeof value === 'string' && ID.test(value),
  time: (value) => typeof value === 'string' && TIME.test(value),
  wamid: (value) => typeof value === 'string' && value.startsWith('wamid.'),
  text: (value) => typeof value === 'string' && value !== '',
  number: (value) => typeof value === 'number',
  list: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/**
 * How an answer differs from the documented one, a line each. Fields beyond the documented ones are fine. Of documented
 * numbers the type counts, of documented times the form; a documented null may be a time or a text by now. Each item of a list is
 * like the one documented, and there is at least one.
 */
export function differences(documented: unknown, actual: unknown, path = ''): string[] {
  const here = path === '' ? 'the body' : path;
  const kind = typeof documented === 'string' ? /^<(\w+)( or null)?>$/.exec(documented) : null;
  if (kind) {
    const right = (kind[2] !== undefined && actual === null) || KINDS[kind[1] ?? '']?.(actual);
    return right ? [] : [`${here} is ${show(actual)}, not ${kind[0]}`];
  }
  if (documented === null) return actual === null || typeof actual === 'string' ? [] : [`${here} is ${show(actual)}`];
  if (Array.isArray(documented)) return differentItems(documented, actual, path);
  if (typeof documented === 'object') {
    if (typeof actual !== 'object' || actual === null) return [`${here} is ${show(actual)}, not an object`];
    return Object.entries(documented).flatMap(([name, part]) => {
      const inner = path === '' ? name : `${path}.${name}`;
      return name in actual ? differences(part, actual[name as keyof typeof actual], inner) : [`${inner} is missing`];
    });
  }
  if (typeof documented === 'number') {
    return typeof actual === 'number' ? [] : [`${here} is ${show(actual)}, not a number`];
  }
  if (typeof documented === 'string' && TIME.test(documented)) {
    return KINDS['time']?.(actual) ? [] : [`${here} is ${show(actual)}, not a time`];
  }
  return actual === documented ? [] : [`${here} is ${show(actual)}, not ${show(documented)}`];
}

function differentItems(documented: unknown[], actual: unknown, path: string): string[] {
  const here = path === '' ? 'the body' : path;
  if (!Array.isArray(actual)) return [`${here} is ${show(actual)}, not a list`];
  const [like] = documented;
  if (like === undefined) return actual.length === 0 ? [] : [`${here} is not empty`];
  if (actual.length === 0) return [`${here} is empty`];
  return actual.flatMap((item, index) => differences(like, item, `${path}[${index}]`));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

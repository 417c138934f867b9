/**
 * The rows of one key of a tenant, in the order of their ids, as conditions and an order for SQL. An index on (tenant, key, id) has them so.
 *
 * Not `key = value … order by id`: the primary key, (tenant, id), has that order too. Where most rows are of one key, as in a tenant with one
 * busy number, statistics take walking over it for as good, and a page of another key then walks over all of the tenant's rows. No other index
 * has the order by key and id, and only conditions that are no equality leave the key in the order.
 *
 * The planner does not see that these conditions leave few rows. So a limit belongs to them that it does not know, a parameter: it takes that for
 * a tenth. And what is joined to the rows is joined behind the limit, with one more condition by which it expects few again (`is not distinct from`).
 *
 * @param key its columns, with what they are compared with: a parameter, or a column of another table
 * @param id the column of the ids, such as `m.id`
 */
export function ofKey(key: Readonly<Record<string, string>>, id: string) {
  const columns = Object.keys(key);
  const [left, right] = [columns.join(', '), Object.values(key).join(', ')];
  const sides = (compare: string) => `(${left}) ${compare} (${right})`;
  const places = (compare: string, place: string) => `(${left}, ${id}) ${compare} (${right}, ${place})`;
  return {
    all: `${sides('>=')} and ${sides('<=')}`,
    below: (place: string) => `${places('<', place)} and ${sides('>=')}`,
    above: (place: string) => `${places('>', place)} and ${sides('<=')}`,
    /** From `first` on, and below `place`. */
    between: (first: string, place: string) => `${places('>=', first)} and ${places('<', place)}`,
    newestFirst: [...columns, id].map((column) => `${column} desc`).join(', '),
    oldestFirst: `${left}, ${id}`,
  };
}

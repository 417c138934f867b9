/**
 * Columns for `unnest`: arrays in PostgreSQL's binary form, which the driver passes on as they are. A batch of rows is sent
 * as one array a column; as text, the driver would escape and the server parse every value of it.
 *
 * Layout (PostgreSQL's array_recv): dimensions, null flag, element type, length, lower bound; then for each element its
 * length (-1: null) and its bytes.
 */
type Pick<Row, Value> = (row: Row) => Value | null;

const HEAD = 20;

const OID = {
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  float8: 701,
  timestamptz: 1184,
  uuid: 2950,
  jsonb: 3802,
};

/** An array of elements of one size. */
function fixed<Row, Value>(
  rows: readonly Row[],
  pick: Pick<Row, Value>,
  oid: number,
  size: number,
  write: (into: Buffer, value: Value, at: number) => void,
): Buffer {
  const into = Buffer.allocUnsafe(HEAD + rows.length * (4 + size));
  let at = HEAD;
  let nulls = 0;
  for (let i = 0; i < rows.length; i++) {
    const value = pick(rows[i] as Row);
    if (value === null) {
      at = into.writeInt32BE(-1, at);
      nulls = 1;
    } else {
      at = into.writeInt32BE(size, at);
      write(into, value, at);
      at += size;
    }
  }
  return finish(into, at, rows.length, nulls, oid);
}

/** An array of byte strings, each behind `prefix`. */
function varying<Row>(rows: readonly Row[], pick: Pick<Row, string | Uint8Array>, oid: number, prefix: number): Buffer {
  const values = rows.map(pick);
  let size = HEAD;
  for (const value of values)
    size += 5 + (value === null ? 0 : typeof value === 'string' ? value.length * 3 : value.length);
  const into = Buffer.allocUnsafe(size);
  let at = HEAD;
  let nulls = 0;
  for (const value of values) {
    const start = at;
    at += 4;
    if (value === null) {
      into.writeInt32BE(-1, start);
      nulls = 1;
      continue;
    }
    if (prefix > 0) into[at++] = prefix;
    if (typeof value === 'string') at += into.write(value, at, 'utf8');
    else {
      into.set(value, at);
      at += value.length;
    }
    into.writeInt32BE(at - start - 4, start);
  }
  return finish(into, at, rows.length, nulls, oid);
}

function finish(into: Buffer, end: number, length: number, nulls: number, oid: number): Buffer {
  into.writeInt32BE(length === 0 ? 0 : 1, 0);
  into.writeInt32BE(nulls, 4);
  into.writeInt32BE(oid, 8);
  if (length === 0) return into.subarray(0, 12);
  into.writeInt32BE(length, 12);
  into.writeInt32BE(1, 16);
  return into.subarray(0, end);
}

const NIBBLE = new Uint8Array(128);
for (let i = 0; i < 16; i++) {
  NIBBLE[i.toString(16).charCodeAt(0)] = i;
  NIBBLE[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

/** `uuid[]`. The text is a UUID with dashes. */
export function uuids<Row>(rows: readonly Row[], pick: Pick<Row, string>): Buffer {
  return fixed(rows, pick, OID.uuid, 16, writeUuid);
}

function writeUuid(into: Buffer, text: string, at: number): void {
  let char = 0;
  for (let byte = 0; byte < 16; byte++) {
    if (char === 8 || char === 13 || char === 18 || char === 23) char++;
    const high = NIBBLE[text.charCodeAt(char++) & 127] as number;
    const low = NIBBLE[text.charCodeAt(char++) & 127] as number;
    into[at + byte] = (high << 4) | low;
  }
}

/** `text[]`; also for `unnest` into an enum, by a cast in the statement. */
export function texts<Row>(rows: readonly Row[], pick: Pick<Row, string>): Buffer {
  return varying(rows, pick, OID.text, 0);
}

/** `jsonb[]` of JSON texts. */
export function jsons<Row>(rows: readonly Row[], pick: Pick<Row, string>): Buffer {
  // The first byte is the version of jsonb's own binary form.
  return varying(rows, pick, OID.jsonb, 1);
}

/** `bytea[]`. */
export function byteas<Row>(rows: readonly Row[], pick: Pick<Row, Uint8Array>): Buffer {
  return varying(rows, pick, OID.bytea, 0);
}

/** `smallint[]`. */
export function smallints<Row>(rows: readonly Row[], pick: Pick<Row, number>): Buffer {
  return fixed(rows, pick, OID.int2, 2, (into, value, at) => into.writeInt16BE(value, at));
}

/** `int[]`. */
export function integers<Row>(rows: readonly Row[], pick: Pick<Row, number>): Buffer {
  return fixed(rows, pick, OID.int4, 4, (into, value, at) => into.writeInt32BE(value, at));
}

/** `bigint[]`, of safe integers. */
export function bigints<Row>(rows: readonly Row[], pick: Pick<Row, number>): Buffer {
  return fixed(rows, pick, OID.int8, 8, (into, value, at) => into.writeBigInt64BE(BigInt(value), at));
}

/** `float8[]`. */
export function doubles<Row>(rows: readonly Row[], pick: Pick<Row, number>): Buffer {
  return fixed(rows, pick, OID.float8, 8, (into, value, at) => into.writeDoubleBE(value, at));
}

/** 2000-01-01, where PostgreSQL counts from; in milliseconds since 1970. */
const EPOCH = 946_684_800_000;

/** `timestamptz[]` of milliseconds since 1970. */
export function times<Row>(rows: readonly Row[], pick: Pick<Row, number>): Buffer {
  return fixed(rows, pick, OID.timestamptz, 8, writeTime);
}

function writeTime(into: Buffer, milliseconds: number, at: number): void {
  // Microseconds, exact up to the year 2255.
  const micros = Math.round((milliseconds - EPOCH) * 1000);
  into.writeInt32BE(Math.floor(micros / 2 ** 32), at);
  into.writeUInt32BE(micros - Math.floor(micros / 2 ** 32) * 2 ** 32, at + 4);
}

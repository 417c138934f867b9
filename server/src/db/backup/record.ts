/**
 * A backup is a gzip of JSON lines: a header; for each table its rows and an end; a footer. A row is the text PostgreSQL
 * writes for it, which PostgreSQL reads again to the last bit, whatever its version. Nothing in it depends on where the
 * database was.
 */
export interface Header {
  aldis_backup: typeof FORMAT;
  /** Of the program that wrote it. */
  version: string;
  /** ISO 8601, UTC: all rows are as they were committed at this moment. */
  made_at: string;
  /** The newest migration the database had. */
  migration: number;
  /**
   * The first transaction number that was not given out, as decimal digits. The order of the event log is an order of
   * transactions, so the log is only continued by higher ones.
   */
  next_transaction: string;
  /** In the order in which they can be filled. */
  tables: readonly TableShape[];
  sequences: readonly SequenceState[];
}

export const FORMAT = 1;

export interface TableShape {
  name: string;
  columns: readonly string[];
}

/** What an identity column gives next. */
export interface SequenceState {
  table: string;
  column: string;
  last_value: number;
  is_called: boolean;
}

/** Some rows of the table under way. */
export interface Rows {
  rows: readonly string[];
}

export interface TableEnd {
  end: string;
  count: number;
  /** SHA-256, hexadecimal, over each row's text and a line feed. */
  sha256: string;
}

/** That it is there proves that nothing was cut off. */
export interface Footer {
  complete: true;
  tables: number;
  count: number;
}

export type BackupRecord = Header | Rows | TableEnd | Footer;

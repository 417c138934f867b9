/** What a request is answered, and how. */
export interface Reply {
  status: number;
  type: string;
  body: string | Buffer;
  /** Holds the answer back this many milliseconds. */
  delay?: number;
  /** Destroys the connection instead of answering. */
  cut?: boolean;
}

/** A reply of a JSON value. */
export function json(value: unknown, status = 200): Reply {
  return { status, type: 'application/json; charset=UTF-8', body: JSON.stringify(value) };
}

/** What is looked at of a request to find out who asks: Node's own request is one. */
export interface Asking {
  /** By names in small letters. */
  headers: Readonly<NodeJS.Dict<string | string[]>>;
  /** The same, each line of one name by itself. */
  headersDistinct: Readonly<NodeJS.Dict<string[]>>;
  /** The other end of the connection itself; what a proxy says of others does not count. */
  socket: { remoteAddress?: string | undefined };
}

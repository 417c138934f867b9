import { type WebSocket, WebSocketServer } from 'ws';
import type { Identifier } from '../../access/identify.ts';
import { may, type Principal } from '../../access/principal.ts';
import { AldisError, errorBody } from '../../domain/errors.ts';
import { isReference, newId } from '../../domain/ids.ts';
import type { Arrival, Hub } from './hub.ts';

/** A request for a socket, with what came behind its head: as the `upgrade` event of Node's server gives them. */
type Handed = Parameters<WebSocketServer['handleUpgrade']>;
type UpgradeRequest = Handed[0];
type Connection = Handed[1];

/** The door of sockets: finds out who asks before anything is opened. */
export interface SocketDoor {
  /** Whether a request that asks for another protocol asks for a socket here. Others are answered as if they had not asked. */
  isAsked(request: Pick<UpgradeRequest, 'url' | 'headers'>): boolean;
  /** Answers it: opens the socket, or says over HTTP why not. Never throws. */
  take(request: UpgradeRequest, connection: Connection, head: Buffer): void;
}

export interface SocketDoorOptions {
  hub: Hub;
  identifier: Identifier;
  /** Pages of these origins may open sockets; `*` is all. Those of the server's own origin may always. */
  origins: readonly string[];
  /** The largest frame, in bytes. */
  maxFrame: number;
  troubleOf(error: unknown): AldisError;
}

const SOCKET_PATH = '/ws';
/** Sockets of one user on one instance. */
const MOST_DEVICES = 20;
/** Seconds after which a full or stopping instance may be asked again. */
const LATER = 2;

export function createSocketDoor({ hub, identifier, origins, maxFrame, troubleOf }: SocketDoorOptions): SocketDoor {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxFrame });
  const all = origins.includes('*');
  const known = new Set(origins.map((origin) => origin.toLowerCase()));
  // What is no right handshake is answered by our own words.
  server.on('wsClientError', (error, connection) => refuse(connection, new AldisError('bad_request', error.message)));

  function checkOrigin({ headers: { origin, host } }: UpgradeRequest): void {
    if (origin === undefined || all || known.has(origin.toLowerCase())) return;
    if (URL.parse(origin)?.host === host?.toLowerCase()) return;
    throw new AldisError('forbidden', 'Pages of this origin may open no sockets here: see server.cors_origins.', {
      field: 'Origin',
    });
  }

  function checkRoom(): void {
    if (!hub.open) throw new AldisError('overloaded', undefined, { retryAfter: LATER });
  }

  async function open(request: UpgradeRequest, connection: Connection, head: Buffer): Promise<void> {
    checkOrigin(request);
    checkRoom();
    const query = queryOf(request);
    const device = deviceOf(request, query);
    const principal = await identifier.identifySocket(request, query.get('ticket'));
    checkScope(principal);
    const rate = principal.rate?.take(performance.now());
    if (rate && !rate.allowed) throw new AldisError('rate_limited', undefined, { retryAfter: rate.reset });
    const room = await hub.enter(principal.tenant_id);
    let admitted = false;
    try {
      const arrival: Arrival = { principal, device, begin: await hub.findStart(room, query.get('after')) };
      if (connection.destroyed) return;
      // From here on nothing is waited for: many may have come since it was asked whether there is room.
      checkRoom();
      const user = principal.user_id;
      if (user !== null && room.devicesBeside(user, device.device_id) >= MOST_DEVICES) {
        throw new AldisError('rate_limited', `At most ${MOST_DEVICES} sockets a user.`, { retryAfter: LATER });
      }
      connection.off('error', ignore);
      // The answer leaves with the first frames.
      connection.cork();
      process.nextTick(() => connection.uncork());
      server.handleUpgrade(request, connection, head, (ws: WebSocket) => {
        admitted = true;
        hub.admit(room, ws, arrival);
      });
    } finally {
      if (!admitted) hub.leave(room);
    }
  }

  return {
    isAsked: ({ url, headers }) =>
      pathOf(url) === SOCKET_PATH && headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket',
    take(request, connection, head) {
      connection.on('error', ignore);
      open(request, connection, head).catch((error: unknown) => {
        refuse(connection, error instanceof AldisError ? error : troubleOf(error));
      });
    },
  };
}

function ignore(): void {}

function pathOf(url = ''): string {
  return url.split('?', 1)[0] ?? '';
}

/** What a browser says by the query, for it can set no headers. */
const QUERY = ['ticket', 'after', 'device_id', 'platform', 'app_version'];

function queryOf({ url = '' }: UpgradeRequest): URLSearchParams {
  const query = new URLSearchParams(url.slice(pathOf(url).length));
  for (const name of query.keys()) {
    if (!QUERY.includes(name)) {
      const field = name.slice(0, 128);
      throw new AldisError('unknown_field', `${field} is not a parameter of this request.`, { field });
    }
  }
  return query;
}

function deviceOf({ headers }: UpgradeRequest, query: URLSearchParams): Arrival['device'] {
  const read = (header: string, name: string) => {
    const value = headers[header.toLowerCase()] ?? query.get(name);
    if (value === null || value === undefined || value === '') return null;
    if (typeof value === 'string' && isReference(value)) return value;
    throw new AldisError('invalid_field', `${header} must be 1 to 128 characters, none of them a control character.`, {
      field: header,
    });
  };
  return {
    device_id: read('X-Device-ID', 'device_id') ?? newId(),
    platform: read('X-Platform', 'platform'),
    app_version: read('X-App-Version', 'app_version'),
  };
}

/** A user's socket shows him his conversations; one of software shows every event. */
function checkScope(principal: Principal): void {
  const scope = principal.user_id === null ? 'events:read' : 'conversations:read';
  if (may(principal, scope)) return;
  throw new AldisError('forbidden', `The key lacks the scope ${scope}.`, { details: { scope } });
}

function refuse(connection: Connection, error: AldisError): void {
  if (connection.destroyed || !connection.writable) return;
  const body = JSON.stringify(errorBody(error, newId()));
  const head = [
    `HTTP/1.1 ${error.status} ${REASONS[error.status] ?? 'Error'}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(error.status === 401 ? [`WWW-Authenticate: ${challengeOf(error)}`] : []),
    ...(error.retryAfter === null ? [] : [`Retry-After: ${error.retryAfter}`]),
  ];
  connection.once('finish', () => connection.destroy());
  connection.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** How one may say who one is (RFC 6750, 3): of a token also why it is refused, as requests are told. Our texts have no quotes. */
function challengeOf({ details, message }: AldisError): string {
  const why = details?.['reason'] === undefined ? '' : `, error="invalid_token", error_description="${message}"`;
  return `Bearer realm="aldis"${why}`;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

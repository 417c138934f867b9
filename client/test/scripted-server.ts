import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A server of sockets that does what its script says: for what the real one does only when something is broken. */
export interface ScriptedServer extends AsyncDisposable {
  url: string;
  /** What came, connection by connection. */
  connections: ScriptedConnection[];
}

export interface ScriptedConnection {
  /** The query it came with. */
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  frames: { type: string; payload: Record<string, unknown> }[];
  tell(type: string, payload?: object, event?: { cursor: string; prev: string }): void;
  close(code: number, reason?: string): void;
  ws: WebSocket;
}

/** What a connection does when it is opened, and for each frame. */
export interface Script {
  opened(connection: ScriptedConnection, n: number): void;
  heard?(connection: ScriptedConnection, frame: ScriptedConnection['frames'][number], n: number): void;
}

export async function startScripted(script: Script): Promise<ScriptedServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 64 * 1024 });
  await once(server, 'listening');
  const connections: ScriptedConnection[] = [];
  server.on('connection', (ws, request) => {
    const connection: ScriptedConnection = {
      query: new URL(request.url ?? '', 'http://here').searchParams,
      headers: request.headers,
      frames: [],
      tell(type, payload, event) {
        ws.send(JSON.stringify({ type, payload, ...(event && { id: `e-${event.cursor}`, ...event }) }));
      },
      close: (code, reason) => ws.close(code, reason),
      ws,
    };
    const n = connections.push(connection);
    ws.on('error', () => {});
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data)) as ScriptedConnection['frames'][number];
      connection.frames.push(frame);
      script.heard?.(connection, frame, n);
    });
    script.opened(connection, n);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async [Symbol.asyncDispose]() {
      for (const { ws } of connections) ws.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The first frame of every connection: who it is, and where it begins. */
export function hello(connection: ScriptedConnection, cursor = connection.query.get('after') ?? 'c0'): void {
  connection.tell('hello', { user_id: 'ann', device_id: 'd', cursor });
}

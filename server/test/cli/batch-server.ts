import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/**
 * A server for the transport's tests: it takes batches the way Aldis does, once a key, and can be told to fail in the
 * ways that networks and restarts do. What Aldis itself does is tested end to end elsewhere.
 */
export interface BatchServer {
  url: string;
  /** Addressees in the order in which they were accepted: what stands here twice was sent twice. */
  accepted: string[];
  /** Requests by key, tries and repeats too. */
  keys: string[];
  /** Called at the start of each batch request, with how many there have been: what it returns is done instead. */
  fault: (request: number) => Fault;
  /** States that batches report. */
  state: string;
  close(): Promise<void>;
}

/** `lose`: the request is done, its answer never comes. `cut`: neither. A number is a status, with Retry-After: 0. */
export type Fault = 'none' | 'lose' | 'cut' | number;

interface Item {
  to: string;
  metadata: { line: number };
}

export const KEY = 'aldis_test';

export async function startBatchServer(): Promise<BatchServer> {
  const answers = new Map<string, { body: string; answer: string }>();
  const batches = new Map<string, Item[]>();
  let requests = 0;

  function accept(server: BatchServer, key: string, body: string): { status: number; answer: string } {
    const known = answers.get(key);
    if (known) {
      if (known.body === body) return { status: 202, answer: known.answer };
      return { status: 422, answer: JSON.stringify({ error: 'idempotency_mismatch', message: 'Another body.' }) };
    }
    const { messages }: { messages: Item[] } = JSON.parse(body);
    const batchId = `batch-${batches.size}`;
    const refuses = (item: Item) => item.to === '+6281999';
    const taken = messages.filter((item) => !refuses(item));
    server.accepted.push(...taken.map((item) => item.to));
    batches.set(batchId, taken);
    const answer = JSON.stringify({
      batch_id: batchId,
      accepted: taken.length,
      refused: messages.length - taken.length,
      messages: [],
      errors: messages.flatMap((item, index) =>
        refuses(item) ? [{ index, error: 'window_closed', code: 'WINDOW_CLOSED', message: 'No.', field: null }] : [],
      ),
    });
    answers.set(key, { body, answer });
    return { status: 202, answer };
  }

  async function post(server: BatchServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const key = String(request.headers['idempotency-key']);
    server.keys.push(key);
    const fault = server.fault(++requests);
    if (fault === 'cut') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'number') {
      response
        .writeHead(fault, { 'retry-after': '0' })
        .end(JSON.stringify({ error: 'unavailable', message: 'Later.' }));
      return;
    }
    const { status, answer } = accept(server, key, body);
    if (fault === 'lose') request.socket.destroy();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
  }

  function get(server: BatchServer, url: URL, response: ServerResponse): void {
    const batch =
      batches.get(url.pathname.split('/').at(-1) ?? '') ?? batches.get(url.searchParams.get('batch_id') ?? '');
    const failing = (item: Item) => item.to === '+6281666';
    const failed = batch?.filter(failing) ?? [];
    const answer =
      url.pathname === '/api/v1/messages'
        ? {
            messages: failed.map((item) => ({
              id: `id-${item.metadata.line}`,
              to: item.to,
              state: 'failed',
              metadata: item.metadata,
              error: { error: 'send_failed', code: 131026, title: 'Undeliverable', detail: 'Not on WhatsApp' },
            })),
            next_cursor: null,
          }
        : { by_state: { [server.state]: (batch?.length ?? 0) - failed.length, failed: failed.length } };
    response.writeHead(batch ? 200 : 404).end(JSON.stringify(answer));
  }

  const http = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${KEY}`) {
      response.writeHead(401).end(JSON.stringify({ error: 'unauthorized', message: 'A valid key is needed.' }));
    } else if (request.method === 'POST') {
      post(server, request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    } else {
      get(server, new URL(request.url ?? '/', 'http://localhost'), response);
    }
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  const port = typeof address === 'object' ? address?.port : null;
  const server: BatchServer = {
    url: `http://127.0.0.1:${port}`,
    accepted: [],
    keys: [],
    fault: () => 'none',
    state: 'delivered',
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

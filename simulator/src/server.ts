import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { answerControl } from './control.ts';
import { Delays } from './delays.ts';
import { graphError } from './graph/errors.ts';
import { GraphApi } from './graph/router.ts';
import type { Log } from './log.ts';
import type { Reply } from './reply.ts';
import type { Simulation } from './simulation.ts';

const MAX_BODY = 2_000_000;
/** Meta's largest file, and what a form puts around it. */
const MAX_UPLOAD = 101_000_000;
/**
 * Longer than any client keeps an idle connection: were the server the first to close one, a send that just began on it
 * would have an outcome that nobody can know.
 */
const KEEP_ALIVE = 120_000;

/** Answers late what shall be answered late. */
interface Late {
  response: ServerResponse;
  reply: Reply;
}

/** An HTTP server for the Graph API and, under /_simulator/, for those who direct the simulation. Not yet listening. */
export function newServer(simulation: Simulation, log: Log): { server: Server; clear(): void } {
  const graph = new GraphApi(simulation);
  const late = new Delays<Late>(({ response, reply }) => write(response, reply));

  const answer = (request: IncomingMessage, body: Buffer): Reply | Promise<Reply> => {
    const { url = '/', method = 'GET', headers } = request;
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? NO_QUERY : new URLSearchParams(url.slice(mark + 1));
    const base = `http://${headers.host ?? 'localhost'}`;
    if (path.startsWith('/_simulator/')) return answerControl(simulation, { method, path, query, body, base });
    return graph.answer({
      method,
      path,
      query,
      authorization: headers.authorization,
      contentType: headers['content-type'] ?? '',
      body,
      base,
    });
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const limit = isLarge(request) ? MAX_UPLOAD : MAX_BODY;
    const body = await readBody(request, limit);
    const reply = body === undefined ? tooLarge(limit) : await answer(request, body);
    if (reply.delay !== undefined) late.add(reply.delay, { response, reply });
    else write(response, reply);
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A caller who went away before its request was whole has sent nothing.
      if (request.destroyed && !request.complete) return;
      log(`could not answer ${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}`);
      if (!response.headersSent) write(response, graphError('An unknown error occurred', { code: 1, status: 500 }));
    });
  });
  return {
    server,
    clear: () => late.clear(),
  };
}

/** Whether a file may come with it: a form, a resumable upload, or one of the simulator's own routes. */
function isLarge({ headers, url = '' }: IncomingMessage): boolean {
  return (
    headers['content-type']?.startsWith('multipart/') === true ||
    url.startsWith('/_simulator/') ||
    /\/upload(:|%3a)/i.test(url)
  );
}

/** Shared by all requests without a query; nobody writes to it. */
const NO_QUERY = new URLSearchParams();

function write(response: ServerResponse, { status, type, body, cut }: Reply): void {
  if (cut) {
    response.socket?.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** The whole body, or undefined when it is larger than `limit`. Rejects when the caller goes away first. */
function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    request.on('end', () => {
      const [first] = chunks;
      if (size > limit) resolve(undefined);
      else resolve(first && chunks.length === 1 ? first : Buffer.concat(chunks, size));
    });
    request.on('error', reject);
  });
}

function tooLarge(limit: number): Reply {
  return graphError(`(#100) The request is larger than ${limit} bytes.`, { status: 413 });
}

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TemplatesOptions } from '../../src/jobs/templates.ts';

/** A template as the Graph API tells it. */
export interface GraphTemplate {
  id: string;
  name: string;
  language: string;
  status: string;
  category: string;
  components: object[];
  [more: string]: unknown;
}

/** What was asked of it. */
export interface GraphCall {
  method: string;
  path: string;
  query: Record<string, string>;
  token: string;
  body: Record<string, unknown>;
}

/** The part of the Graph API that templates need, over HTTP, with answers that a test can bend. */
export interface GraphServer {
  url: string;
  templates: GraphTemplate[];
  calls: GraphCall[];
  /** Templates in a page. */
  pageSize: number;
  /** Answers instead, or undefined for the usual answer. `cut`: none at all. */
  bend: (call: GraphCall) => { status: number; body: unknown } | 'cut' | undefined;
  close(): Promise<void>;
}

/** An error as the Graph API writes it. */
export function graphError(code: number, message: string, more: object = {}): { status: number; body: unknown } {
  return { status: 400, body: { error: { message, type: 'OAuthException', code, fbtrace_id: 'x', ...more } } };
}

export async function graphServer(): Promise<GraphServer> {
  let lastId = 1000;
  const graph: GraphServer = {
    url: '',
    templates: [],
    calls: [],
    pageSize: 100,
    bend: () => undefined,
    close: async () => {},
  };

  function usual({ method, path, query, body }: GraphCall): { status: number; body: unknown } {
    const { templates, pageSize } = graph;
    if (path.endsWith('/message_templates')) {
      if (method === 'POST') {
        const { name, language, category, components } = body;
        if (templates.some((one) => one.name === name && one.language === language)) {
          return graphError(100, 'Invalid parameter', {
            error_subcode: 2388024,
            error_user_title: 'Exists',
            error_user_msg: 'There is one.',
          });
        }
        const made = { id: String(++lastId), status: 'PENDING', name, language, category, components } as GraphTemplate;
        templates.push(made);
        return { status: 200, body: { id: made.id, status: made.status, category } };
      }
      if (method === 'DELETE') {
        const before = templates.length;
        graph.templates = templates.filter((one) => one.id !== query['hsm_id']);
        if (graph.templates.length === before) return graphError(100, 'not found', { error_subcode: 2593002 });
        return { status: 200, body: { success: true } };
      }
      const wanted = templates.filter((one) => query['name'] === undefined || one.name.includes(query['name']));
      const start = Number(query['after'] ?? 0);
      const data = wanted.slice(start, start + pageSize);
      const next = start + data.length < wanted.length ? { next: 'https://elsewhere.example/never-followed' } : {};
      return {
        status: 200,
        body: { data, paging: { cursors: { before: String(start), after: String(start + data.length) }, ...next } },
      };
    }
    const found = templates.find((one) => path.endsWith(`/${one.id}`));
    if (!found || method !== 'POST') return graphError(100, 'Unsupported request');
    Object.assign(found, body, { status: 'PENDING' });
    return { status: 200, body: { success: true } };
  }

  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const call: GraphCall = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        token: request.headers.authorization ?? '',
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      };
      graph.calls.push(call);
      const answer = graph.bend(call) ?? usual(call);
      if (answer === 'cut') {
        response.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  graph.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  graph.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return graph;

  async function read(request: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return text;
  }
}

/** For templates without files. */
export const noSamples: TemplatesOptions['samples'] = {
  files: { open: async () => null },
  uploader: {
    upload: async () => ({ kind: 'later', detail: 'nobody takes samples here', retryAfter: null }),
    close: async () => {},
  },
};

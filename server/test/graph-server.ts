import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A number as Meta's pages have it (business-phone-numbers/phone-numbers, read 2026-09). */
export interface GraphNumber {
  id: string;
  display_phone_number: string;
  verified_name?: string;
  name_status?: string;
  quality_rating?: string;
  throughput?: { level: string };
  is_on_biz_app?: boolean;
  status?: string;
  whatsapp_business_manager_messaging_limit?: string;
}

/** A WhatsApp Business Account as the Graph API knows it. */
export interface GraphAccount {
  name: string;
  owner_business_info?: { id: string; name: string };
  account_review_status?: string;
  numbers: GraphNumber[];
  /** Ids of the apps its webhooks come to. */
  apps: string[];
}

/** What was asked: `GET /123/phone_numbers`, and by whom. */
export interface GraphAsk {
  what: string;
  token: string;
  query: URLSearchParams;
}

/** A Graph API of accounts alone, whose every answer a test decides. */
export interface GraphServer {
  origin: string;
  accounts: Map<string, GraphAccount>;
  /** Tokens that are good, and until when: seconds since 1970, 0 for ever. */
  tokens: Map<string, number>;
  /** The app that the tokens are of. */
  app: { id: string; secret: string };
  asked: GraphAsk[];
  /** Numbers of one page. */
  page: number;
  /** Answers in place of everything else, while it gives something. */
  instead: ((what: string) => { status: number; body: unknown } | undefined) | null;
}

export async function graphServer(t: Pick<TestContext, 'after'>): Promise<GraphServer> {
  const graph: GraphServer = {
    origin: '',
    accounts: new Map(),
    tokens: new Map([['good', 0]]),
    app: { id: '670843887433847', secret: 'app secret' },
    asked: [],
    page: 100,
    instead: null,
  };
  const server = createServer((request, response) => {
    const { status, body } = answer(graph, request);
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  graph.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return graph;
}

export const refusal = (code: number, message = 'refused') => ({
  status: 400,
  body: { error: { message, type: 'OAuthException', code, fbtrace_id: 'x' } },
});

function answer(graph: GraphServer, request: IncomingMessage): { status: number; body: unknown } {
  const url = new URL(request.url ?? '', 'http://graph');
  const [, , id = '', edge] = url.pathname.split('/');
  const what = `${request.method} /${id}${edge === undefined ? '' : `/${edge}`}`;
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  graph.asked.push({ what, token, query: url.searchParams });
  const instead = graph.instead?.(what);
  if (instead) return instead;
  if (id === 'debug_token') return debugToken(graph, token, url.searchParams.get('input_token') ?? '');
  if (!graph.tokens.has(token)) return refusal(190, 'Error validating access token');
  const account = graph.accounts.get(id);
  if (!account) return refusal(100, `Unsupported get request. Object with ID '${id}' does not exist`);
  switch (`${request.method} ${edge ?? ''}`) {
    case 'GET ':
      return { status: 200, body: { ...account, numbers: undefined, apps: undefined, id } };
    case 'GET phone_numbers':
      return { status: 200, body: pageOf(graph, account, url) };
    case 'GET subscribed_apps':
      return {
        status: 200,
        body: { data: account.apps.map((app) => ({ whatsapp_business_api_data: { id: app, name: 'x', link: '' } })) },
      };
    case 'POST subscribed_apps':
      account.apps = [...new Set([...account.apps, graph.app.id])];
      return { status: 200, body: { success: true } };
    case 'DELETE subscribed_apps':
      account.apps = account.apps.filter((app) => app !== graph.app.id);
      return { status: 200, body: { success: true } };
    default:
      return refusal(2500, 'Unknown path components');
  }
}

function pageOf({ page }: GraphServer, { numbers }: GraphAccount, url: URL): object {
  const from = Number(url.searchParams.get('after') ?? '0');
  const next = from + page < numbers.length ? { next: url.href } : {};
  const cursors = { before: String(from), after: String(from + page) };
  return { data: numbers.slice(from, from + page), paging: { cursors, ...next } };
}

function debugToken({ app, tokens }: GraphServer, token: string, input: string): { status: number; body: unknown } {
  if (token !== `${app.id}|${app.secret}`) return refusal(190);
  const expires_at = tokens.get(input);
  return { status: 200, body: { data: { app_id: app.id, is_valid: expires_at !== undefined, expires_at } } };
}

import { tellAccount } from './account-events.ts';
import { listInbound, receive } from './inbound.ts';
import { BadInput, queryNumber } from './input.ts';
import { parseJson } from './json.ts';
import { json, type Reply } from './reply.ts';
import { changeSettings } from './settings.ts';
import { reset, type Simulation } from './simulation.ts';
import { decideTemplate } from './templates/control.ts';
import { tellStatus } from './told-statuses.ts';
import { numberNews } from './webhooks/account-news.ts';
import { NotVerified } from './webhooks/addresses.ts';
import { sendBatch, sendRaw } from './webhooks/raw.ts';

/** A request to one of the simulator's own routes. */
export interface ControlRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  body: Buffer;
  /** The simulator's own address. */
  base: string;
}

type Handler = (simulation: Simulation, request: ControlRequest) => unknown;

const MAX_LIST = 10_000;

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/_simulator/health': { GET: () => ({ status: 'ok' }) },
  '/_simulator/stats': { GET: stats },
  '/_simulator/messages': {
    GET: ({ ledger }, { query }) => ledger.list(...pageOf(query)),
  },
  '/_simulator/numbers': {
    GET: ({ numbers }) => ({ numbers: numbers.all() }),
    POST: ({ numbers }, request) => numbers.put(bodyOf(request)),
    PATCH: changeNumber,
  },
  '/_simulator/webhooks': {
    GET: ({ addresses }) => ({ webhooks: addresses.describe() }),
    POST: async ({ addresses, queue }, request) => ({
      verified: true,
      ...(await addresses.register(bodyOf(request), queue.dispatcher)),
    }),
  },
  '/_simulator/faults': {
    GET: ({ rules }) => rules.describe(),
    PUT: ({ rules }, request) => {
      rules.configure(bodyOf(request));
      return rules.describe();
    },
    DELETE: ({ rules }) => {
      rules.clear();
      return rules.describe();
    },
  },
  '/_simulator/settings': {
    GET: ({ settings }) => settings,
    PUT: ({ settings }, request) => {
      changeSettings(settings, bodyOf(request));
      return settings;
    },
  },
  '/_simulator/tokens': { POST: ({ tokens }, request) => tokens.change(bodyOf(request)) },
  '/_simulator/inbound': {
    GET: (simulation, { query }) => listInbound(simulation, ...pageOf(query)),
    POST: (simulation, request) => receive(simulation, bodyOf(request), request.base),
  },
  '/_simulator/statuses': { POST: (simulation, request) => tellStatus(simulation, bodyOf(request)) },
  '/_simulator/templates': { POST: (simulation, request) => decideTemplate(simulation, bodyOf(request)) },
  '/_simulator/account_events': { POST: (simulation, request) => tellAccount(simulation, bodyOf(request)) },
  '/_simulator/webhook_batch': {
    POST: (simulation, request) => sendBatch(simulation, bodyOf(request), request.base),
  },
  '/_simulator/raw_webhook': { POST: (simulation, request) => sendRaw(simulation, bodyOf(request)) },
  '/_simulator/clock': {
    GET: ({ clock }) => clock.describe(),
    POST: ({ clock }, request) => clock.change(bodyOf(request)),
  },
  '/_simulator/reset': {
    POST: (simulation) => {
      reset(simulation);
      return { reset: true };
    },
  },
};

/** Answers the routes under /_simulator/. What a caller got wrong is 400 and names the field. */
export async function answerControl(simulation: Simulation, request: ControlRequest): Promise<Reply> {
  const handlers = ROUTES[request.path];
  if (!handlers)
    return refuse(404, 'not_found', `there is no ${request.path}; there are ${Object.keys(ROUTES).join(', ')}`);
  const handler = handlers[request.method];
  if (!handler) return refuse(405, 'method_not_allowed', `${request.path} takes ${Object.keys(handlers).join(', ')}`);
  try {
    return json(await handler(simulation, request));
  } catch (error) {
    if (error instanceof BadInput) return refuse(400, 'bad_input', error.message, error.field);
    if (error instanceof NotVerified) return refuse(400, 'not_verified', error.message, 'url');
    throw error;
  }
}

/** Changes a number, and tells by webhook what Meta would tell of it. */
function changeNumber(simulation: Simulation, request: ControlRequest): unknown {
  const { before, after } = simulation.numbers.change(bodyOf(request));
  for (const { field, value } of numberNews(before, after)) simulation.tellAccount(after.waba_id, field, value);
  return after;
}

function stats({ ledger, tally, statuses, queue }: Simulation): unknown {
  return {
    accepted: ledger.total,
    refused: tally.refused,
    read_marks: tally.read_marks,
    inbound: tally.inbound,
    faults: tally.faults,
    statuses_ahead: statuses.ahead,
    webhooks: queue.stats(),
  };
}

/** After which item, and how many. Throws BadInput. */
function pageOf(query: URLSearchParams): [after: number, limit: number] {
  return [
    queryNumber(query, 'after', { min: 0, max: Number.MAX_SAFE_INTEGER }, 0),
    queryNumber(query, 'limit', { min: 1, max: MAX_LIST }, 100),
  ];
}

function bodyOf({ body }: ControlRequest): unknown {
  const parsed = parseJson(body.toString('utf8'));
  if (parsed === undefined) throw new BadInput('body', 'must be JSON');
  return parsed;
}

function refuse(status: number, error: string, message: string, field?: string): Reply {
  return json({ error, message, ...(field === undefined ? {} : { field }) }, status);
}

import { BadInput } from '../input.ts';
import { isObject, parseJson, textOf } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import { json, type Reply } from '../reply.ts';
import type { Simulation } from '../simulation.ts';
import { NotVerified } from '../webhooks/addresses.ts';
import { changeBlocked, listBlocked } from './block-users.ts';
import { describeMe, describeToken } from './debug-token.ts';
import { graphError, unknownObject } from './errors.ts';
import { DOWNLOAD_PATH } from './media.ts';
import { send } from './messages.ts';
import { describeAccount, describeNumber, describeNumbers } from './nodes.ts';

/** A request to the Graph API. */
export interface GraphRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  contentType: string;
  body: Buffer;
  /** The simulator's own address. */
  base: string;
}

/** v20 died on 2026-09-24 (developers.facebook.com/docs/graph-api/changelog). */
const OLDEST_VERSION = 21;
const VERSION = /^v(\d{1,3})\.\d$/;

/** The Graph API, as far as a sender of WhatsApp messages needs it. */
export class GraphApi {
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Answers a request. Never throws for what a caller can send. */
  answer(request: GraphRequest): Reply | Promise<Reply> {
    const { path, query } = request;
    const token = tokenOf(request);
    const refusal = this.#checkToken(token);
    if (path === DOWNLOAD_PATH) return refusal ?? this.#simulation.media.download(query);
    const [first = '', ...others] = path.split('/').slice(1);
    const version = VERSION.exec(first);
    if (version && Number(version[1]) < OLDEST_VERSION) {
      const message = `(#2635) You are calling a deprecated version of the Graph API. Please update to the latest version: v26.0.`;
      return graphError(message, { code: 2635 });
    }
    if (refusal) return refusal;
    const [id = '', edge, ...rest] = version ? others : [first, ...others];
    if (id === '' || rest.length > 0) return unknownPath(path);
    return this.#route(request, id, edge, token ?? '') ?? unknownObject(request.method, id);
  }

  #checkToken(token: string | undefined): Reply | undefined {
    const invalid = 'Error validating access token: ';
    switch (this.#simulation.tokens.problem(token)) {
      case undefined:
        return undefined;
      case 'revoked':
        return graphError(
          `${invalid}The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.`,
          { code: 190, subcode: 460, status: 401 },
        );
      case 'expired': {
        const at = new Date(this.#simulation.tokens.expiryOf(token ?? '') ?? 0).toUTCString();
        return graphError(`${invalid}Session has expired on ${at}.`, { code: 190, subcode: 463, status: 401 });
      }
      default:
        return graphError('Invalid OAuth access token - Cannot parse access token', { code: 190, status: 401 });
    }
  }

  #route(
    request: GraphRequest,
    id: string,
    edge: string | undefined,
    token: string,
  ): Reply | Promise<Reply> | undefined {
    const { method, path, body, contentType } = request;
    const { numbers, media, uploads } = this.#simulation;
    const number = numbers.get(id);
    switch (`${method} ${edge ?? ''}`) {
      case 'POST messages':
        return number && send(this.#simulation, number, body.toString('utf8'));
      case 'POST media':
        return number && media.upload(id, body, contentType);
      case 'GET ':
        return this.#read(request, id, number, token);
      case 'DELETE ':
        return media.remove(id, request.query);
      case 'POST ':
        return uploads.receive(id, body) ?? this.#editTemplate(request, id);
      case 'POST unpause':
        return this.#template(id, (wabaId, template) => this.#simulation.templates.unpause(wabaId, template));
      case 'POST uploads':
        return uploads.begin(request.query, body);
      case 'GET block_users':
      case 'POST block_users':
      case 'DELETE block_users':
        return number && this.#blockUsers(request, number);
      case 'GET phone_numbers':
        return this.#account(id, (members) =>
          describeNumbers(members, request.query, `${request.base}/v26.0/${id}/phone_numbers`),
        );
      case 'GET message_templates':
      case 'POST message_templates':
      case 'DELETE message_templates':
        return this.#account(id, () => this.#templates(request, id));
      case 'GET subscribed_apps':
      case 'POST subscribed_apps':
      case 'DELETE subscribed_apps':
        return this.#account(id, () => this.#subscribedApps(request, id, token));
      default:
        return edge === undefined ? undefined : unknownPath(path);
    }
  }

  #read(
    { query, base }: GraphRequest,
    id: string,
    number: BusinessNumber | undefined,
    token: string,
  ): Reply | undefined {
    const { media, templates, reviews } = this.#simulation;
    if (id === 'debug_token') return describeToken(this.#simulation, query);
    if (id === 'me') return describeMe(query);
    if (id === 'app') return describeMe(query, this.#simulation.addresses.appOf(token));
    if (number) return describeNumber(number, query);
    return (
      media.describe(id, base, query) ??
      this.#account(id, (members) => describeAccount(members, reviews.of(id), query)) ??
      this.#template(id, (_wabaId, template) => templates.describe(template, query))
    );
  }

  #account<R extends Reply | Promise<Reply>>(id: string, answer: (members: BusinessNumber[]) => R): R | undefined {
    const members = this.#simulation.numbers.ofAccount(id);
    return members.length === 0 ? undefined : answer(members);
  }

  #template(
    id: string,
    answer: (wabaId: string, template: Parameters<Simulation['templates']['describe']>[0]) => Reply,
  ): Reply | undefined {
    const found = this.#simulation.templates.byId(id);
    return found && answer(found.wabaId, found.template);
  }

  #editTemplate({ body }: GraphRequest, id: string): Reply | undefined {
    return this.#template(id, (wabaId, template) =>
      this.#simulation.templates.edit(wabaId, template, parseJson(body.toString('utf8'))),
    );
  }

  #templates({ method, query, body, base }: GraphRequest, wabaId: string): Reply {
    const { templates } = this.#simulation;
    if (method === 'GET') return templates.list(wabaId, query, base);
    if (method === 'DELETE') return templates.remove(wabaId, query);
    return templates.create(wabaId, parseJson(body.toString('utf8')));
  }

  #blockUsers({ method, query, body, base }: GraphRequest, number: BusinessNumber): Reply {
    if (method === 'GET') {
      return listBlocked(this.#simulation, number, query, `${base}/v26.0/${number.phone_number_id}/block_users`);
    }
    return changeBlocked(this.#simulation, number, parseJson(body.toString('utf8')), method === 'POST');
  }

  async #subscribedApps({ method, body, base }: GraphRequest, wabaId: string, token: string): Promise<Reply> {
    const { addresses, queue } = this.#simulation;
    const app = addresses.appOf(token);
    if (method === 'GET') {
      const data = addresses.subscribedTo(wabaId).map((id) => ({
        whatsapp_business_api_data: { id, name: 'Simulator', link: `${base}/app/${id}` },
      }));
      return json({ data });
    }
    if (method === 'DELETE') {
      addresses.unsubscribe(wabaId, app);
      return json({ success: true });
    }
    const given = parseJson(body.toString('utf8'));
    const { override_callback_uri: url, verify_token: verify } = isObject(given) ? given : {};
    if (typeof url === 'string') {
      try {
        await addresses.override(wabaId, app, url, textOf(verify), queue.dispatcher);
      } catch (error) {
        if (!(error instanceof NotVerified || error instanceof BadInput)) throw error;
        return graphError(`(#2200) Callback verification failed: ${error.message}`, { code: 2200 });
      }
    }
    addresses.subscribe(wabaId, app);
    return json({ success: true });
  }
}

function tokenOf({ authorization, query }: GraphRequest): string | undefined {
  const match = authorization === undefined ? undefined : /^(?:Bearer|OAuth) +(.*)$/.exec(authorization);
  return match?.[1]?.trim() ?? query.get('access_token') ?? undefined;
}

function unknownPath(path: string): Reply {
  return graphError(`Unknown path components: ${path}`, { code: 2500 });
}

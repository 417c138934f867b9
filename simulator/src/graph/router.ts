import { Delays } from '../delays.ts';
import { parseJson } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import type { Simulation } from '../simulation.ts';
import { templateEnvelope } from '../webhooks/payloads.ts';
import { graphError, unknownObject } from './errors.ts';
import { DOWNLOAD_PATH } from './media.ts';
import { send } from './messages.ts';
import { describeAccount, describeNumber, describeNumbers } from './nodes.ts';
import type { Template } from './templates.ts';

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
  readonly #reviews = new Delays<{ wabaId: string; template: Template }>(({ wabaId, template }) =>
    this.#approve(wabaId, template),
  );

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Answers a request. Never throws for what a caller can send. */
  answer(request: GraphRequest): Reply | Promise<Reply> {
    const { path, query, authorization } = request;
    const refusal = this.#checkToken(authorization, query);
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
    return this.#route(request, id, edge) ?? unknownObject(request.method, id);
  }

  /** Forgets the reviews of templates that lie ahead. */
  clear(): void {
    this.#reviews.clear();
  }

  #checkToken(authorization: string | undefined, query: URLSearchParams): Reply | undefined {
    const token = authorization?.startsWith('Bearer ') ? authorization.slice(7).trim() : query.get('access_token');
    switch (this.#simulation.tokens.problem(token ?? undefined)) {
      case undefined:
        return undefined;
      case 'revoked':
        return graphError(
          'Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.',
          { code: 190, subcode: 460, status: 401 },
        );
      default:
        return graphError('Invalid OAuth access token - Cannot parse access token', { code: 190, status: 401 });
    }
  }

  #route(request: GraphRequest, id: string, edge: string | undefined): Reply | Promise<Reply> | undefined {
    const { method, path, query, body, contentType, base } = request;
    const { numbers, media } = this.#simulation;
    const number = numbers.get(id);
    switch (`${method} ${edge ?? ''}`) {
      case 'POST messages':
        return number && send(this.#simulation, number, body.toString('utf8'));
      case 'POST media':
        return number && media.upload(id, body, contentType);
      case 'GET ':
        if (number) return describeNumber(number, query);
        return media.describe(id, base, query) ?? this.#account(id, (members) => describeAccount(members, query));
      case 'DELETE ':
        return media.remove(id, query);
      case 'GET phone_numbers':
        return this.#account(id, (members) => describeNumbers(members, query));
      case 'GET message_templates':
      case 'POST message_templates':
      case 'DELETE message_templates':
        return this.#account(id, () => this.#templates(request, id));
      case 'GET subscribed_apps':
        return this.#account(id, () =>
          json({ data: [{ whatsapp_business_api_data: { id: '670843887433847', name: 'Simulator', link: base } }] }),
        );
      case 'POST subscribed_apps':
      case 'DELETE subscribed_apps':
        return this.#account(id, () => json({ success: true }));
      default:
        return edge === undefined ? undefined : unknownPath(path);
    }
  }

  #account(id: string, answer: (members: ReturnType<Simulation['numbers']['ofAccount']>) => Reply): Reply | undefined {
    const members = this.#simulation.numbers.ofAccount(id);
    return members.length === 0 ? undefined : answer(members);
  }

  #templates({ method, query, body }: GraphRequest, wabaId: string): Reply {
    const { templates, settings } = this.#simulation;
    if (method === 'GET') return templates.list(wabaId, query);
    if (method === 'DELETE') return templates.remove(wabaId, query);
    return templates.create(wabaId, parseJson(body.toString('utf8')), (template) =>
      this.#reviews.add(settings.template_review, { wabaId, template }),
    );
  }

  #approve(wabaId: string, template: Template): void {
    template.status = 'APPROVED';
    const [receiver] = this.#simulation.numbers.ofAccount(wabaId);
    if (!receiver) return;
    const envelope = templateEnvelope(wabaId, template, 'APPROVED');
    this.#simulation.announcements.announce(receiver.phone_number_id, envelope, 'template');
  }
}

function unknownPath(path: string): Reply {
  return graphError(`Unknown path components: ${path}`, { code: 2500 });
}

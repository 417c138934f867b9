import type {
  AccountAnswer,
  AccountAsk,
  AccountFacts,
  AccountReader,
  NumberFacts,
  Throughput,
} from '../../domain/account.ts';
import { E164 } from '../../domain/phone.ts';
import { isTooFast } from '../../domain/provider-errors.ts';
import { askJson } from '../../net/json-client.ts';
import { isCode, isRecord } from './answer.ts';

export interface AccountReaderOptions {
  /** `https://graph.facebook.com` */
  origin: string;
  /** Of the Graph API: `v26.0`. */
  version: string;
  /** Milliseconds for one question. */
  timeout: number;
}

/**
 * Meta: whatsapp-business-account, business-phone-numbers/phone-numbers. The limit is told of each number, and shared by the
 * portfolio.
 */
const ACCOUNT_FIELDS = ['name', 'owner_business_info', 'account_review_status'];
const NUMBER_FIELDS = [
  'display_phone_number',
  'verified_name',
  'name_status',
  'quality_rating',
  'throughput',
  'is_on_biz_app',
  'status',
  'whatsapp_business_manager_messaging_limit',
];

/** Numbers of an account that are read, in pages of 100. Meta allows far fewer. */
const MOST_PAGES = 20;
/** Fields that a version of the API may not know any more; more than these are missing when something else is wrong. */
const MOST_DROPPED = 4;

interface Ask extends AccountAsk {
  ending: AbortSignal | undefined;
}

/** Reads accounts by the Graph API. */
export function accountReader(options: AccountReaderOptions): AccountReader {
  return {
    async read(account, ending) {
      const ask = { ...account, ending };
      try {
        return { kind: 'read', facts: await readAccount(options, ask) };
      } catch (error) {
        if (error instanceof Refusal) return { kind: error.kind, detail: error.message };
        return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

/** The provider answered, and not with what was asked for. */
class Refusal extends Error {
  override name = 'Refusal';
  readonly kind: Exclude<AccountAnswer['kind'], 'read'>;

  constructor(kind: Refusal['kind'], detail: string) {
    super(detail);
    this.kind = kind;
  }
}

async function readAccount(options: AccountReaderOptions, ask: Ask): Promise<AccountFacts> {
  const account = await withFields(ACCOUNT_FIELDS, (fields) => graph(options, ask, ask.id, { fields }));
  const pages = await readNumbers(options, ask);
  const subscription = await subscribe(options, ask);
  const owner = account['owner_business_info'];
  return {
    name: textOf(account['name']),
    portfolio_id: isRecord(owner) ? idOf(owner['id']) : null,
    review_status: textOf(account['account_review_status']),
    messaging_limit: firstOf(pages.map((number) => textOf(number['whatsapp_business_manager_messaging_limit']))),
    ...subscription,
    token_expires_at: await readExpiry(options, ask),
    // Each once: pages may overlap when numbers come and go meanwhile.
    numbers: [...new Map(pages.flatMap(numberOf).map((number) => [number.phone_number_id, number])).values()],
  };
}

async function readNumbers(options: AccountReaderOptions, ask: Ask): Promise<Record<string, unknown>[]> {
  return withFields(NUMBER_FIELDS, async (fields) => {
    const numbers: Record<string, unknown>[] = [];
    let after: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = { fields, limit: '100', ...(after === null ? {} : { after }) };
      const answer = await graph(options, ask, `${ask.id}/phone_numbers`, query);
      if (!Array.isArray(answer['data'])) throw new Refusal('unknown', 'WhatsApp named no numbers of the account');
      numbers.push(...answer['data'].filter(isRecord));
      // The address of the next page is made here: only where it goes on is taken from the answer.
      const paging = isRecord(answer['paging']) ? answer['paging'] : {};
      const cursors = isRecord(paging['cursors']) ? paging['cursors'] : {};
      after = textOf(paging['next']) === null ? null : textOf(cursors['after']);
      if (after === null) break;
    }
    return numbers;
  });
}

function numberOf(number: Record<string, unknown>): NumberFacts[] {
  const id = idOf(number['id']);
  if (id === null) return [];
  const status = textOf(number['status']);
  const display = textOf(number['display_phone_number']);
  const phone = display === null ? '' : `+${display.replace(/\D/g, '')}`;
  const throughput = isRecord(number['throughput']) ? textOf(number['throughput']['level']) : null;
  return [
    {
      phone_number_id: id,
      phone: E164.test(phone) ? phone : null,
      verified_name: textOf(number['verified_name']),
      name_status: textOf(number['name_status']),
      quality: textOf(number['quality_rating']),
      throughput: throughputOf(throughput, number['is_on_biz_app'] === true),
      gone: status === 'DELETED' || status === 'MIGRATED',
    },
  ];
}

function throughputOf(level: string | null, onBusinessApp: boolean): Throughput | null {
  if (onBusinessApp) return 'COEXISTENCE';
  return level === 'STANDARD' || level === 'HIGH' ? level : null;
}

/** Sees to it that webhooks come to the app, or come no more. That the token may not is told, and no reason to stop. */
async function subscribe(
  options: AccountReaderOptions,
  ask: Ask,
): Promise<Pick<AccountFacts, 'subscribed' | 'subscribe_detail'>> {
  const path = `${ask.id}/subscribed_apps`;
  try {
    const answer = await graph(options, ask, path, {});
    const apps = (Array.isArray(answer['data']) ? answer['data'] : []).flatMap((one: unknown) => {
      const app = isRecord(one) ? one['whatsapp_business_api_data'] : undefined;
      return isRecord(app) ? [idOf(app['id'])] : [];
    });
    // Which of the apps is the token's own, nobody says: without the app's id, what was done here before counts too.
    const { meta_id } = ask.app;
    const is = meta_id === null ? apps.length > 0 && ask.subscribed === true : apps.includes(meta_id);
    if (is === ask.subscribe_wanted || (!ask.subscribe_wanted && apps.length === 0)) {
      return { subscribed: is, subscribe_detail: null };
    }
    const done = await graph(options, ask, path, {}, ask.subscribe_wanted ? 'POST' : 'DELETE');
    if (done['success'] === true) return { subscribed: ask.subscribe_wanted, subscribe_detail: null };
    return { subscribed: is, subscribe_detail: 'WhatsApp did not change whether webhooks come' };
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'throttled') throw error;
    return { subscribed: null, subscribe_detail: `whether webhooks come cannot be seen to: ${error.message}` };
  }
}

/**
 * Until when the token is good (Meta: debug_token), for which the app itself has to ask. Its answer is a help, no condition.
 */
async function readExpiry(options: AccountReaderOptions, ask: Ask): Promise<Date | null | 'unknown'> {
  const { meta_id, secret } = ask.app;
  if (meta_id === null || secret === null) return 'unknown';
  try {
    const asApp = { ...ask, access_token: `${meta_id}|${secret}` };
    const { data } = await graph(options, asApp, 'debug_token', { input_token: ask.access_token });
    const at = isRecord(data) ? data['expires_at'] : undefined;
    if (typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0 || at > 8_640_000_000_000) return 'unknown';
    return at === 0 ? null : new Date(at * 1000);
  } catch (error) {
    if (error instanceof Refusal) return 'unknown';
    throw error;
  }
}

/** Asks for fields, and once more without one that this version of the API does not know. */
async function withFields<T>(wanted: readonly string[], ask: (fields: string) => Promise<T>): Promise<T> {
  let fields = wanted;
  for (let dropped = 0; ; dropped++) {
    try {
      return await ask(fields.join(','));
    } catch (error) {
      const unknown = error instanceof Refusal ? /nonexisting field \((\w+)\)/.exec(error.message)?.[1] : undefined;
      if (unknown === undefined || dropped === MOST_DROPPED || !fields.includes(unknown)) throw error;
      fields = fields.filter((field) => field !== unknown);
    }
  }
}

async function graph(
  { origin, version, timeout }: AccountReaderOptions,
  { access_token, ending }: Pick<Ask, 'access_token' | 'ending'>,
  path: string,
  query: Record<string, string>,
  method: 'GET' | 'POST' | 'DELETE' = 'GET',
): Promise<Record<string, unknown>> {
  const url = new URL(`/${version}/${path}`, origin);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const headers = { authorization: `Bearer ${access_token}` };
  const { status, text } = await askJson(url, timeout, method === 'POST' ? {} : undefined, headers, ending, method);
  const answer = parse(text);
  const error = isRecord(answer) ? answer['error'] : undefined;
  if (isRecord(error) && isCode(error['code'])) throw refusalOf(error['code'], textOf(error['message']) ?? '');
  if (status !== 200 || !isRecord(answer)) {
    throw new Refusal('unknown', `HTTP ${status} without an answer of the Graph API`);
  }
  return answer;
}

const RENEW = 'the access token is missing, expired or invalid: give the account a new one';
const GRANT = 'the access token may not read the account: grant it whatsapp_business_management';
const UNSEEN = 'there is no such account, or this token may not see it';
const MEND = 'see WhatsApp Manager';

/** Errors that only a person ends (Meta: support/error-codes). */
const REFUSED: Readonly<Record<number, string>> = {
  0: RENEW,
  3: GRANT,
  10: GRANT,
  33: UNSEEN,
  100: UNSEEN,
  190: RENEW,
  368: `the account is blocked for a policy violation: ${MEND}`,
  131005: GRANT,
  131031: `the account is locked: ${MEND}`,
};

function refusalOf(code: number, message: string): Refusal {
  if (isTooFast(code)) {
    return new Refusal('throttled', `too many questions, asked again later (error ${code})`);
  }
  const unknownField = /nonexisting field/.test(message);
  const why = unknownField ? undefined : (REFUSED[code] ?? (code >= 200 && code <= 299 ? GRANT : undefined));
  if (why !== undefined) return new Refusal('refused', `${why} (error ${code})`);
  return new Refusal('unknown', `${message.slice(0, 200)} (error ${code})`);
}

const idOf = (value: unknown) => (typeof value === 'string' && /^\d{1,32}$/.test(value) ? value : null);

/** A word or name of the provider's, if it is one; what is too long for any is cut. */
function textOf(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  return value.slice(0, 512).toWellFormed().replaceAll('\0', '\ufffd');
}

function firstOf(values: readonly (string | null)[]): string | null {
  return values.find((value) => value !== null) ?? null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

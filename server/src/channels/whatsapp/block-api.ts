import type { BlockedPerson, Blocker, BlockOutcome } from '../../domain/blocked-user.ts';
import { providerError } from '../../domain/provider-errors.ts';
import type { ProviderClient, ProviderResponse } from '../../net/provider-client.ts';
import { isCode, isRecord, readAnswer } from './answer.ts';

/**
 * Tells WhatsApp whom a number blocks (Meta: block-users). One call names many people, and is answered for each of them; some
 * may have failed while others did not.
 */
export function whatsappBlocker({ client, version }: { client: ProviderClient; version: string }): Blocker {
  return {
    async tell(sender, blocked, people) {
      try {
        const response = await client.post({
          method: blocked ? 'POST' : 'DELETE',
          path: `/${version}/${sender.phone_number_id}/block_users`,
          headers: { authorization: `Bearer ${sender.access_token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ messaging_product: 'whatsapp', block_users: people.map(userOf) }),
          stop: () => null,
        });
        return outcomesOf(response, people);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        return people.map(() => ({ kind: 'later', detail, retryAfter: null }));
      }
    },
    close: () => client.close(),
  };
}

/** Who is known by his business-scoped id only is named by that (Meta: business-scoped-user-ids). */
function userOf({ phone, user_id }: BlockedPerson): object {
  return phone === null ? { user_id } : { user: phone };
}

/** The list is full (64,000): trying again frees no room. Its other codes pass, or stand in the table. */
const LIST_FULL = 139101;

function outcomesOf(response: ProviderResponse, people: readonly BlockedPerson[]): BlockOutcome[] {
  const lists = listsOf(response.body);
  const done = namesIn([...arrayOf(lists['added_users']), ...arrayOf(lists['removed_users'])]);
  const failed = new Map(
    arrayOf(lists['failed_users'])
      .filter(isRecord)
      .map((user) => [nameOf(user), user['errors']]),
  );
  return people.map((person) => {
    const name = person.phone ?? person.user_id;
    if (done.has(name)) return { kind: 'done' };
    if (failed.has(name)) return refusalOf(failed.get(name));
    return otherwise(response);
  });
}

function listsOf(body: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(body);
    const lists = isRecord(answer) ? answer['block_users'] : undefined;
    return isRecord(lists) ? lists : {};
  } catch {
    return {};
  }
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function namesIn(users: readonly unknown[]): Set<string> {
  return new Set(users.filter(isRecord).map(nameOf));
}

/** As it was asked for; who was asked for by his id may come back under that only. */
function nameOf(user: Record<string, unknown>): string {
  const { input, user_id } = user;
  return typeof input === 'string' ? input : typeof user_id === 'string' ? user_id : '';
}

/** Why one person could not be blocked: `[{message, code, error_data: {details}}]`. */
function refusalOf(errors: unknown): BlockOutcome {
  const [error] = arrayOf(errors);
  if (!isRecord(error)) return { kind: 'refused', detail: 'WhatsApp did not say why' };
  // Some answers have the code in quotes.
  const code = Number(error['code']);
  const data = error['error_data'];
  const details = isRecord(data) ? data['details'] : undefined;
  const said = `${String(error['message'])}${typeof details === 'string' ? `: ${details}` : ''}`;
  const detail = `${code}: ${said.slice(0, 300).toWellFormed().replaceAll('\0', '\ufffd')}`;
  const final = isCode(code) && (code === LIST_FULL || providerError(code).class === 'refuse');
  return final ? { kind: 'refused', detail } : { kind: 'later', detail, retryAfter: null };
}

/** Of people whom the answer does not name. */
function otherwise(response: ProviderResponse): BlockOutcome {
  const outcome = readAnswer(response);
  if (outcome.kind !== 'error') {
    return { kind: 'later', detail: `HTTP ${response.status} without an answer of the Graph API`, retryAfter: null };
  }
  const { code, title, retryAfter } = outcome;
  const detail = `${code}: ${title}`;
  const final = code === LIST_FULL || providerError(code).class === 'refuse';
  return final ? { kind: 'refused', detail } : { kind: 'later', detail, retryAfter };
}

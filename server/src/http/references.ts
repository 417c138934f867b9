import type { Sender } from '../access/sender-directory.ts';
import { addresseeOf, type ComposeContext, compose, isTemplateName, type MessageRequest } from '../domain/compose.ts';
import { AldisError } from '../domain/errors.ts';
import { isUuid, type MediaId, type TenantId } from '../domain/ids.ts';
import type { NewMessage, Priority } from '../domain/message.ts';
import { namesTime } from '../domain/message-times.ts';
import { filesIn } from '../domain/named-media.ts';
import type { FoundTemplate } from '../domain/template-check.ts';
import { findContactValues } from '../store/contacts.read.ts';
import { findNow } from '../store/database-clock.read.ts';
import { findMedia, type MediaRow } from '../store/media.read.ts';
import { findWamids } from '../store/messages.read.ts';
import type { TemplateKey } from '../store/templates.read.ts';
import type { HttpDeps } from './http-deps.ts';

/**
 * Composing with what a request only names and the store knows: its sender, its template, the message it answers, its file, and
 * what the contact is called when the request itself gives no value for a name in the text.
 */
export type ReferenceDeps = Pick<HttpDeps, 'db' | 'senders' | 'templates'>;

/** One request to a message, or why not. */
export type Composed = { kind: 'message'; message: NewMessage } | { kind: 'refused'; error: AldisError };

/**
 * Composes one request. For the usual one, whose sender and template are known here, nothing is waited for.
 * @param conversation what it is to be filed under: an own or external id.
 */
export function composeOne(
  deps: ReferenceDeps,
  tenant: TenantId,
  request: MessageRequest,
  priority: Priority,
  conversation?: string,
): Composed | Promise<Composed> {
  const sender = deps.senders.known(tenant, request.sender_id);
  if (sender && ownMessageOf(request) === null && ownFilesOf(request).length === 0 && !namesTime(request)) {
    const found = knownTemplates(deps, tenant, request, sender);
    if (found !== null) {
      const composed = attempt(request, { ...found, now: 0, sender, priority, conversation });
      if (!lacksValues(composed)) return composed;
    }
  }
  return composeMany(deps, tenant, [request], priority, conversation).then(([composed]) => composed as Composed);
}

/** Composes many requests, each for itself; what they name is looked up for all together. */
export async function composeMany(
  deps: ReferenceDeps,
  tenant: TenantId,
  requests: readonly MessageRequest[],
  priority: Priority,
  conversation?: string,
): Promise<Composed[]> {
  const now = requests.some(namesTime) ? await findNow(deps.db) : 0;
  const senders = await deps.senders.resolve(
    tenant,
    requests.map(({ sender_id }) => sender_id),
  );
  const wamidOf = await findNamedMessages(deps, tenant, requests);
  const fileOf = await findNamedFiles(deps, tenant, requests);
  const templatesOf = await findNamedTemplates(deps, tenant, requests, senders);
  const asked = requests.map((request) => {
    const context: Context = {
      ...templatesOf(request),
      now,
      sender: senders.get(request.sender_id) ?? null,
      priority,
      conversation,
    };
    const { reply_to, content } = request;
    if (isOwnReference(reply_to)) context.replyTo = wamidOf(reply_to);
    if (isOwnReference(content?.reaction?.message_id)) context.reactedTo = wamidOf(content.reaction.message_id);
    if (content?.media_id !== undefined) context.file = fileOf(content.media_id);
    context.files = fileOf;
    return { request, context, composed: attempt(request, context) };
  });
  const lacking = asked.filter(({ composed }) => lacksValues(composed));
  if (lacking.length > 0) {
    const addresses = lacking.map(({ request }) => addresseeOf(request).address);
    const contacts = await findContactValues(deps.db, tenant, addresses);
    for (const one of lacking) {
      const contact = contacts.get(addresseeOf(one.request).address);
      if (contact) one.composed = attempt(one.request, { ...one.context, contact });
    }
  }
  return asked.map(({ composed }) => composed);
}

/** What is known of the templates of a request. Both absent: it names none, or nothing can be said of them. */
type FoundTemplates = Pick<ComposeContext, 'template' | 'fallback'>;

/** The same without asking the store; null when that has to be asked. */
function knownTemplates(
  { templates }: ReferenceDeps,
  tenant: TenantId,
  request: MessageRequest,
  sender: Sender,
): FoundTemplates | null {
  const { template, fallback_template } = request;
  if (template === undefined && fallback_template === undefined) return {};
  const found: FoundTemplates = {};
  for (const [as, named] of [
    ['template', template],
    ['fallback', fallback_template],
  ] as const) {
    const key = templateKeyOf(named, sender);
    if (key === null) continue;
    const known = templates.known(tenant, key.account, key.name, key.language);
    if (known === undefined) return null;
    found[as] = known;
  }
  return found;
}

/** Null: it names none, or one that composing refuses by its name, or its sender has no templates. */
function templateKeyOf(template: MessageRequest['template'], sender: Sender | undefined): TemplateKey | null {
  if (template === undefined || !sender || sender.account_id === null || !isTemplateName(template)) return null;
  return { account: sender.account_id, name: template.name, language: template.language };
}

async function findNamedTemplates(
  { templates }: ReferenceDeps,
  tenant: TenantId,
  requests: readonly MessageRequest[],
  senders: ReadonlyMap<string | undefined, Sender>,
): Promise<(request: MessageRequest) => FoundTemplates> {
  const named = new Map<MessageRequest['template'], TemplateKey>();
  for (const { template, fallback_template, sender_id } of requests) {
    for (const one of [template, fallback_template]) {
      const key = templateKeyOf(one, senders.get(sender_id));
      if (key !== null) named.set(one, key);
    }
  }
  const answers = named.size === 0 ? [] : await templates.resolve(tenant, [...named.values()]);
  const found = new Map<MessageRequest['template'], FoundTemplate | undefined>();
  for (const [i, one] of [...named.keys()].entries()) found.set(one, answers[i]);
  return ({ template, fallback_template }) => ({
    template: found.get(template),
    fallback: found.get(fallback_template),
  });
}

/** The provider's ids of messages of ours that requests answer or react to. Null: it has none. */
async function findNamedMessages(
  { db }: ReferenceDeps,
  tenant: TenantId,
  requests: readonly MessageRequest[],
): Promise<(id: string) => string | null> {
  const named = requests.flatMap(({ reply_to, content }) =>
    [reply_to, content?.reaction?.message_id].filter(isOwnReference),
  );
  const wamids = named.length > 0 ? await findWamids(db, tenant, named) : null;
  return (id) => wamids?.get(id) ?? null;
}

async function findNamedFiles(
  { db }: ReferenceDeps,
  tenant: TenantId,
  requests: readonly MessageRequest[],
): Promise<(id: string) => MediaRow | null> {
  const named = requests.flatMap((request) => ownFilesOf(request).filter(isUuid));
  if (named.length === 0) return () => null;
  const rows = await findMedia(db, tenant, [...new Set(named)] as MediaId[]);
  const files = new Map<string, MediaRow>(rows.map((row) => [row.id, row]));
  return (id) => files.get(id) ?? null;
}

/** As composing takes it, with what was not found as null. */
type Context = Omit<ComposeContext, 'sender' | 'replyTo'> & { sender: Sender | null; replyTo?: string | null };

function attempt(request: MessageRequest, { sender, replyTo, ...context }: Context): Composed {
  try {
    if (sender === null) throw unknownSender(request.sender_id);
    if (!sender.enabled || sender.connected === false) {
      const detail = sender.enabled ? 'connection_detail of the sender says why' : 'the sender is switched off';
      throw new AldisError('sender_not_connected', undefined, { field: 'sender_id', details: { detail } });
    }
    if (replyTo === null) {
      throw new AldisError('invalid_field', 'reply_to names no message that has reached WhatsApp.', {
        field: 'reply_to',
      });
    }
    const byWhatsApp = sender.channel === 'whatsapp';
    const needsWindow = byWhatsApp && sender.outside_window === 'refuse';
    const message = compose(request, { ...context, sender: sender.id, replyTo, needsWindow });
    if (sender.caps !== null) message.caps = sender.caps;
    // A webhook knows no window.
    if (!byWhatsApp) message.fallback = null;
    return { kind: 'message', message };
  } catch (error) {
    if (error instanceof AldisError) return { kind: 'refused', error };
    throw error;
  }
}

function unknownSender(reference: string | undefined): AldisError {
  const text = reference === undefined ? 'The request names no sender_id, and there is no default sender.' : undefined;
  return new AldisError('unknown_sender', text, { field: 'sender_id' });
}

function lacksValues(composed: Composed): boolean {
  return composed.kind === 'refused' && composed.error.code === 'missing_variables';
}

/** The message of ours that a request answers or reacts to; null: it names none of ours. */
function ownMessageOf({ reply_to, content }: MessageRequest): string | null {
  return [reply_to, content?.reaction?.message_id].find(isOwnReference) ?? null;
}

/** Our own ids of the files that a request names, wherever it does. */
function ownFilesOf({ content, template, fallback_template: fallback }: MessageRequest): string[] {
  const named = content?.media_id === undefined ? [] : [content.media_id];
  for (const passedOn of [template?.components, template ? undefined : content?.interactive, fallback?.components]) {
    if (passedOn !== undefined) for (const { id } of filesIn(passedOn)) named.push(id);
  }
  return named;
}

/** Whether a reference is an id of ours; else it is the provider's, which is passed on. */
function isOwnReference(reference: string | undefined): reference is string {
  return reference !== undefined && isUuid(reference);
}

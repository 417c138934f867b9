import { DEFERRAL_CAUSES, type DeferralCause, PAUSE_CAUSES, type PauseCause } from './causes.ts';
import { decideDoubt } from './doubt.ts';
import type { Facts, PauseFacts } from './explanation-facts.ts';
import { CAUSE_TEXTS, type Cause, OTHER_TEXTS, STATE_TEXTS, type Step, type Text } from './explanation-texts.ts';
import { providerError } from './provider-errors.ts';
import { type PaceSettings, pacesOf, paceWait } from './schedule/pace.ts';

/** What the configuration says where nothing else does. Milliseconds. */
export interface ExplainSettings {
  pace: PaceSettings;
  /** How long a message without `expires_at` may wait. */
  validity: number;
}

export interface Explanation {
  /** What holds it back now. null: nothing does, for it has left or ended. */
  cause: {
    code: Cause;
    since: Date | null;
    /** When it ends by itself, if that is known. */
    until: Date | null;
    detail: string | null;
    /** The provider's code behind it. */
    provider_code: number | null;
  } | null;
  /** Its state and what holds it, in a sentence or two. */
  explanation: string;
  /** What happens next; `at` null: nobody knows when. */
  next: { what: Step; at: Date | null } | null;
  /** What a person can do. */
  advice: string | null;
  /** Whether it may have arrived although nothing has told so. */
  uncertain: boolean;
}

/** How much later than its time a deferred message may be and still be deferred: a round comes by soon. Milliseconds. */
const ROUND = 5000;
/** A doubt that was put off is looked at again within this. Later is a new grace, after a takeover. Milliseconds. */
const LOOK = 30_000;
/** Beyond this nobody is counted. */
const MOST_AHEAD = 1000;

/** What holds a message back: a cause with what is known of it, and when which step comes. */
interface Finding {
  code: Cause;
  since?: Date | null;
  until?: Date | null;
  detail?: string | null;
  provider_code?: number | null;
  /** In the place of what usually comes next. */
  next?: Step;
}

/**
 * Why has it not left? A message, and what else decides over it, becomes one cause and a sentence. What has ended is explained too. The
 * words are in domain/explanation-texts.ts.
 */
export function explain(facts: Facts, settings: ExplainSettings): Explanation {
  const { state } = facts;
  const uncertain = mayHaveArrived(facts);
  if (facts.direction === 'inbound') return told(OTHER_TEXTS.inbound, null, uncertain);
  if (state === 'queued') return held(facts, settings, holding(facts, settings), uncertain);
  if (state === 'sending') return held(facts, settings, sending(facts), uncertain);
  if (state === 'unconfirmed') return held(facts, settings, doubt(facts), uncertain);
  if (state === 'sent' && facts.attempt === 0 && facts.attempts.length === 0) {
    return told(OTHER_TEXTS.recorded, null, uncertain);
  }
  if (state === 'sent' && facts.sender.channel === 'webhook') return told(OTHER_TEXTS.webhook, null, uncertain);
  const text = STATE_TEXTS[state];
  const advice = (state === 'failed' && adviceOf(facts.error?.code)) || text.advice;
  return told({ ...text, advice }, detailOfEnd(facts), uncertain);
}

/** Whether an attempt of which nobody knows the outcome was made, and no receipt has told of it, nor that any arrived. */
export function mayHaveArrived({ state, attempts, failures }: Pick<Facts, 'state' | 'attempts' | 'failures'>): boolean {
  if (state === 'sending' || state === 'unconfirmed') return true;
  if (state !== 'queued' && state !== 'failed' && state !== 'cancelled' && state !== 'expired') return false;
  const isTold = (of: number) => failures.some(({ attempt, source }) => attempt === of && source === 'receipt');
  return attempts.some(({ attempt, outcome }) => (outcome === 'resend' || outcome === 'tell') && !isTold(attempt));
}

function told({ sentence, next, advice }: Text, detail: string | null, uncertain: boolean): Explanation {
  return {
    cause: null,
    explanation: joined(sentence, detail, uncertain ? MAYBE : null),
    next: next === null ? null : { what: next, at: null },
    advice,
    uncertain,
  };
}

const MAYBE = 'An earlier attempt may have arrived all the same.';

function held(facts: Facts, settings: ExplainSettings, finding: Finding, uncertain: boolean): Explanation {
  const { code, since = null, until = null, detail = null, provider_code = null } = finding;
  const { sentence, next, advice } = CAUSE_TEXTS[code];
  const maybe = uncertain && facts.state === 'queued' ? MAYBE : null;
  return {
    cause: { code, since, until, detail, provider_code },
    explanation: joined(sentence, detail, maybe),
    next: nextOf(facts, settings, finding.next ?? next ?? 'attempt', until),
    // Of a pause the cause says it; what puts off one message may have a better word by its code.
    advice: (PAUSE_CAUSES.some((cause) => cause === code) ? null : adviceOf(provider_code)) ?? advice,
    uncertain,
  };
}

/** What the table of the provider's codes advises; null: nothing of its own. 0 stands for none. */
function adviceOf(code: number | null | undefined): string | null {
  return code ? providerError(code).advice : null;
}

/** The step, or the end of the message's validity where that comes first. */
function nextOf(facts: Facts, { validity }: ExplainSettings, what: Step, at: Date | null): Explanation['next'] {
  // What has begun is not ended by its validity.
  if (facts.state !== 'queued') return { what, at };
  const { created_at, scheduled_at } = facts;
  // From when it might leave, however often it was put off since.
  const ends = facts.expires_at ?? new Date(Math.max(created_at.getTime(), scheduled_at?.getTime() ?? 0) + validity);
  const first = at === null ? what === 'change' || what === 'probe' || ends <= facts.now : ends <= at;
  return first ? { what: 'expiry', at: ends } : { what, at };
}

/** What holds a message that is queued: the first of these that is true. */
function holding(facts: Facts, settings: ExplainSettings): Finding {
  const { now, due_at, sender, template } = facts;
  if (due_at === null) return { code: 'batch_incomplete', since: facts.created_at };
  const early = due_at > now;
  const pause = closing(facts.pauses);
  if (early && facts.attempt === 0 && facts.scheduled_at !== null && facts.scheduled_at > now) {
    const also = alsoHolding(facts, pause);
    return { code: 'scheduled', since: facts.created_at, until: facts.scheduled_at, detail: also };
  }
  if (facts.held === 'template') {
    const named = template && `The template ${template.name} (${template.language}) is ${template.status}`;
    return { code: 'template_held', detail: named && said(named, template.reason) };
  }
  if (!facts.processing) return { code: 'tenant_stopped' };
  if (!sender.enabled) return { code: 'sender_disabled', detail: `The sender is ${sender.name}.` };
  if (pause) return paused(pause);
  if (sender.connected === false) {
    const said = sender.connection_detail;
    return { code: 'sender_not_connected', detail: said && `It says: ${said}`, until: early ? due_at : null };
  }
  const deferral = DEFERRAL_CAUSES.find((cause) => cause === facts.cause);
  if (deferral !== undefined && due_at.getTime() > now.getTime() - ROUND) return deferred(facts, deferral);
  if (early) return deferred(facts, 'retry_wait');
  if (!facts.owned) return { code: 'no_owner', since: facts.owner_until };
  const full = fullPace(facts, settings.pace);
  if (full !== null) return { code: 'pace', since: due_at, until: full };
  return inTurn(facts, due_at);
}

/** What will hold a scheduled message when its time comes, if nobody does anything. */
function alsoHolding(facts: Facts, pause: PauseFacts | null): string | null {
  if (!facts.processing) return CAUSE_TEXTS.tenant_stopped.sentence;
  if (!facts.sender.enabled) return CAUSE_TEXTS.sender_disabled.sentence;
  return pause && CAUSE_TEXTS[pause.cause as PauseCause].sentence;
}

/** Of several pauses the one that ends last, and of those without an end the first. A country's holds its own messages only. */
function closing(pauses: readonly PauseFacts[]): PauseFacts | null {
  let last: PauseFacts | null = null;
  for (const pause of pauses) {
    if (pause.scope === 'country' || !PAUSE_CAUSES.some((cause) => cause === pause.cause)) continue;
    if (last === null || (last.probe_at !== null && (pause.probe_at ?? LATER) > last.probe_at)) last = pause;
  }
  return last;
}

/** Behind every time that is written in digits. */
const LATER = '~';

function paused({ scope, cause, code, title, detail, opened_at, probe_at }: PauseFacts): Finding {
  return {
    code: cause as PauseCause,
    since: new Date(opened_at),
    until: probe_at === null ? null : new Date(probe_at),
    detail: `It is a pause of ${SCOPES[scope] ?? scope}: ${said(title, detail)}`,
    provider_code: code,
    next: probe_at === null ? 'change' : 'probe',
  };
}

const SCOPES: Readonly<Record<string, string>> = {
  sender: 'the sender',
  account: 'the WhatsApp Business Account',
  app: 'the app',
  provider: 'all that goes to WhatsApp',
};

function deferred(facts: Facts, code: DeferralCause): Finding {
  const last = facts.attempts.at(-1);
  const finding: Finding = { code, until: facts.due_at };
  if (last && (code === 'retry_wait' || code === 'pair_rate' || code === 'marketing_cap')) {
    finding.since = new Date(last.ended_at);
    finding.provider_code = last.code;
    if (last.detail !== null) finding.detail = `Attempt ${last.attempt}: ${sentence(last.detail)}`;
  }
  if (code === 'messaging_limit' && facts.messaging_limit !== null) {
    finding.detail = `The limit of the account is ${facts.messaging_limit}.`;
  }
  if (code === 'order' && facts.after_id !== null) finding.detail = `That is ${facts.after_id}.`;
  if (code === 'country_paused') {
    const pauses = facts.pauses.filter(({ scope }) => scope === 'country');
    const [pause] = pauses;
    if (pause && pauses.length === 1) {
      finding.since = new Date(pause.opened_at);
      finding.provider_code = pause.code;
      finding.detail = said(pause.title, pause.detail);
    }
  }
  return finding;
}

/** When the window of a pace that is used up ends; null: none is. */
function fullPace({ now, sender, windows }: Facts, configured: PaceSettings): Date | null {
  let wait = 0;
  for (const pace of pacesOf(sender, configured)) {
    const window = windows.find(({ kind }) => kind === pace.kind);
    const last = window && { startedAt: Date.parse(window.started_at), used: window.used };
    wait = Math.max(wait, paceWait(pace, last, now.getTime()));
  }
  return wait > 0 ? new Date(now.getTime() + wait) : null;
}

function inTurn({ now, ahead, after_id, sender }: Facts, due_at: Date): Finding {
  if (ahead === 0 && after_id !== null)
    return { code: 'order', since: due_at, detail: `That is ${after_id}, under way.` };
  const finding: Finding = { code: 'ahead', since: due_at };
  if (ahead > MOST_AHEAD) return { ...finding, detail: 'More than 1,000 go first.' };
  const detail = ahead === 0 ? 'It is the next.' : ahead === 1 ? 'One goes first.' : `${ahead} go first.`;
  return { ...finding, detail, until: new Date(now.getTime() + (ahead / sender.messages_per_second) * 1000) };
}

function sending({ sending_at, due_at, owned, attempt }: Facts): Finding {
  const alone = 'No living instance owns its lane: who takes it over makes it unconfirmed.';
  return {
    code: 'sending',
    since: sending_at,
    until: due_at,
    detail: owned ? `It is attempt ${attempt}.` : `It is attempt ${attempt}. ${alone}`,
  };
}

/** Which evidence is missing, and what the policy will do with it. */
function doubt(facts: Facts): Finding {
  const { now, attempt, sending_at, due_at, evidence_at, webhooks_since, sender, category, doubt_policy } = facts;
  const finding: Finding = { code: 'unconfirmed', since: sending_at };
  if (sender.channel === 'webhook') {
    const detail = 'It goes to a webhook, of which no receipt ever comes: when its grace is over it is sent once more.';
    return { ...finding, detail, until: due_at, next: 'resend' };
  }
  const resends = facts.attempts.filter(({ outcome }) => outcome === 'resend').length;
  const then = decideDoubt({ category, evident: true, heard: true, resends }, doubt_policy);
  const postponed = facts.doubts.some((doubt) => doubt.attempt === attempt);
  const left = due_at === null ? 0 : due_at.getTime() - now.getTime();
  const grace = left > (postponed ? LOOK : 0) ? due_at : null;
  if (grace !== null) {
    const detail = `No receipt names attempt ${facts.attempt} yet; its grace ends at ${grace.toISOString()}.`;
    return { ...finding, detail, until: grace, next: 'look' };
  }
  const proven = evidence_at !== null && sending_at !== null && evidence_at > sending_at && evidence_at <= now;
  const missing = proven
    ? `Receipts of later messages of the number have come, but none of this one. ${
        webhooks_since === null
          ? 'It is decided in a moment.'
          : `Stored webhooks wait to be applied since ${webhooks_since.toISOString()}, and its own may be among them.`
      }`
    : `The grace is over, but nothing proves that receipts flow: none has come for a later message of the number; ${
        evidence_at === null
          ? 'there has never been one.'
          : `the last that was told of began at ${evidence_at.toISOString()}.`
      }`;
  return { ...finding, detail: missing, next: then === 'resend' ? 'resend' : 'tell' };
}

/** What is particular to the end of a message. */
function detailOfEnd({ state, error, attempts, expires_at }: Facts): string | null {
  if (state === 'failed' && error !== null) {
    const code = error.code === 0 ? error.error : `${error.error}, code ${error.code}`;
    return `${said(error.title, error.detail).replace(/\.$/, '')} (${code}).`;
  }
  if (state !== 'expired') return null;
  const last = attempts.at(-1);
  const limit = expires_at === null ? 'It had no expires_at, and waited for too long.' : null;
  return joined(limit, last?.detail ? `Attempt ${last.attempt}: ${sentence(last.detail)}` : null) || null;
}

/** What the provider says of a trouble, as a sentence. */
function said(title: string, detail: string | null): string {
  if (!detail || detail === title) return sentence(title);
  return sentence(/[.!?]$/.test(title) ? `${title} ${detail}` : `${title}: ${detail}`);
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function joined(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join(' ');
}

import { recordSyncFailure, recordTemplates, takeDueTemplateSyncs } from '../actions/sync-templates.ts';
import { settleTemplateHolds } from '../actions/template-holds.ts';
import {
  holdTemplateIntent,
  type IntentResult,
  settleTemplateIntent,
  takeTemplateIntents,
} from '../actions/template-intents.ts';
import type { Db } from '../db/pool.ts';
import type { MediaId } from '../domain/ids.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import { backoff, type RetrySettings } from '../domain/retry.ts';
import type { TemplateComponent } from '../domain/template-definition.ts';
import type {
  DueSync,
  ProviderTemplate,
  TakenIntent,
  TemplateAccount,
  TemplateOutcome,
  TemplateProvider,
  TemplateSubmission,
} from '../domain/template-provider.ts';
import { type SampleUploader, samplesOf, withHandles } from '../domain/template-samples.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { findMedia } from '../store/media.read.ts';
import { HELD_FOR, whileHeld } from './while-held.ts';

/**
 * Keeps templates in line with the provider, in three rounds beside each other: what people want of them is told to it; what
 * it has is read, at first, from time to time and when a webhook says that something changed; and messages whose template
 * is paused wait.
 */
export interface TemplatesOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'info' | 'warn'>;
  provider: TemplateProvider;
  /** Where files that are named as samples lie, and who takes them. */
  samples: { files: Pick<MediaFiles, 'open'>; uploader: SampleUploader };
  /** Opens an account's sealed access token. */
  openToken: (account: Pick<DueSync, 'tenant_id' | 'id' | 'access_token_sealed'>) => string;
  retry: RetrySettings;
  /** Milliseconds: the longest between two tries. */
  longestRest?: number;
  /** Milliseconds until an account's templates are read again. */
  every: number;
  /** Milliseconds between looks for what no signal tells of. */
  look?: number;
  random?: () => number;
}

const USUALLY_LOOK = 5000;
/** The same for readings: a webhook lets them be due in a moment, and no signal comes then. */
const SOON = 1000;
/** Calls at once. The Graph API limits calls an hour: there is no hurry. */
const TOGETHER = 4;
/** Milliseconds after which an account whose templates are read is anybody's again. To read them twice does no harm. */
const TAKEN_FOR = 60_000;
/** After so many tries, some hours, the provider is not told any more, and whoever asked reads why. */
const MOST_TRIES = 30;
/** Milliseconds. A token that is wrong may be mended at any time. */
const LONGEST_REST = 900_000;
/** An account may have 250 templates, or 6,000 if its business is verified; each language counts. */
const MOST_PAGES = 100;
/** "There is a template of this name and language." */
const EXISTS = 2_388_024;

export function createTemplatesJob(options: TemplatesOptions): Part {
  const { db, signals, logger, provider, samples, every, look = USUALLY_LOOK, random = Math.random } = options;
  const retry = { ...options.retry, cap: options.longestRest ?? LONGEST_REST };
  let unlisten = () => {};

  function accountOf(tenant_id: TakenIntent['tenant_id'], id: string, sealed: Buffer): TemplateAccount {
    return { tenant_id, id, access_token: options.openToken({ tenant_id, id, access_token_sealed: sealed }) };
  }

  const intents = createRounds({
    every: look,
    atOnce: true,
    async round(ending) {
      const taken = await takeTemplateIntents(db, TOGETHER, HELD_FOR);
      await Promise.all(taken.map((intent) => tell(intent, ending)));
      if (taken.length === TOGETHER) intents.wake();
    },
    failed: (error) => logger.warn({ error }, 'telling WhatsApp of templates failed'),
  });

  async function tell(intent: TakenIntent, ending: AbortSignal): Promise<void> {
    await failpoint('template.before_call');
    const outcome = await whileHeld(
      () => holdTemplateIntent(db, intent, HELD_FOR),
      () => perform(intent, ending),
    );
    await failpoint('template.after_call');
    const about = {
      tenant_id: intent.tenant_id,
      account_id: intent.account_id,
      template_name: intent.name,
      intent: intent.intent,
    };
    let result: IntentResult;
    if (outcome.kind !== 'later') {
      result = outcome;
      if (outcome.kind === 'refused') logger.info({ ...about, ...outcome.refusal }, 'WhatsApp did not take a template');
    } else if (intent.tries >= MOST_TRIES) {
      logger.warn({ ...about, detail: outcome.detail }, 'WhatsApp could not be told of a template');
      const refusal = { code: 0, subcode: null, title: 'WhatsApp could not be told', detail: outcome.detail };
      result = { kind: 'refused', refusal };
    } else {
      const delay = backoff(intent.tries, retry, outcome.retryAfter, random());
      result = { kind: 'later', delay, detail: outcome.detail };
      logger.warn({ ...about, detail: outcome.detail }, 'WhatsApp is told of a template later');
    }
    await settleTemplateIntent(db, signals, intent, result);
    await failpoint('template.after_commit');
  }

  async function perform(intent: TakenIntent, ending: AbortSignal): Promise<TemplateOutcome> {
    const { tenant_id, account_id, access_token_sealed, provider_id, name, language, intent: what } = intent;
    if (access_token_sealed === null) {
      return { kind: 'refused', refusal: { code: 0, subcode: null, title: 'The account was removed.', detail: null } };
    }
    try {
      const account = accountOf(tenant_id, account_id, access_token_sealed);
      if (what === 'delete' && provider_id !== null) return await provider.remove(account, provider_id, name);
      if (what === 'unpause' && provider_id !== null) return await provider.unpause(account, provider_id);
      const asked = what === 'edit' ? intent.intent_payload.components : intent.components;
      const uploaded = await upload(account, intent, asked ?? [], ending);
      if (!Array.isArray(uploaded)) return uploaded;
      const components = asked === undefined ? {} : { components: uploaded };
      if (what === 'edit' && provider_id !== null) {
        return await provider.edit(account, provider_id, { ...intent.intent_payload, ...components, name, language });
      }
      return await create(account, intent, uploaded);
    } catch (error) {
      return { kind: 'later', detail: error instanceof Error ? error.message : String(error), retryAfter: null };
    }
  }

  /** Uploads the files that a definition names as samples. @returns the definition with their handles, or why there is none. */
  async function upload(
    account: TemplateAccount,
    { tenant_id, meta_app_id }: TakenIntent,
    components: readonly TemplateComponent[],
    ending: AbortSignal,
  ): Promise<TemplateComponent[] | Exclude<TemplateOutcome, { kind: 'taken' }>> {
    const ids = [...new Set(samplesOf(components).map(({ media_id }) => media_id))] as MediaId[];
    const handles = new Map<string, string>();
    const files = ids.length === 0 ? [] : await findMedia(db, tenant_id, ids);
    for (const id of ids) {
      const file = files.find((one) => one.id === id);
      const bytes = file ? await samples.files.open(tenant_id, file.sha256) : null;
      if (!file || bytes === null) {
        const title = `The file ${id} was removed before it could be uploaded.`;
        return { kind: 'refused', refusal: { code: 0, subcode: null, title, detail: null } };
      }
      const { mime_type, size } = file;
      const outcome = await samples.uploader.upload(
        account,
        meta_app_id,
        { filename: id, mime_type, size, bytes },
        ending,
      );
      if (outcome.kind !== 'uploaded') return outcome;
      handles.set(id, outcome.handle);
    }
    return withHandles(components, handles);
  }

  /** A creation whose answer was lost is told once more, and refused: then the template that is there is the one. */
  async function create(
    account: TemplateAccount,
    intent: TakenIntent,
    components: readonly TemplateComponent[],
  ): Promise<TemplateOutcome> {
    const { name, language, category, parameter_format } = intent;
    const submission: TemplateSubmission = {
      ...intent.intent_payload,
      name,
      language,
      category,
      parameter_format,
      components,
    };
    const outcome = await provider.create(account, submission);
    if (outcome.kind !== 'refused' || outcome.refusal.subcode !== EXISTS || intent.tries === 1) return outcome;
    const there = await provider.find(account, name, language);
    if (there === 'unknown') {
      return { kind: 'later', detail: 'whether WhatsApp has the template is not known', retryAfter: null };
    }
    if (there === null) return outcome;
    return { kind: 'taken', provider_id: there.provider_id, status: there.status, category: there.category };
  }

  const syncs = createRounds({
    every: Math.min(look, SOON),
    atOnce: true,
    async round(ending) {
      const due = await takeDueTemplateSyncs(db, TOGETHER, TAKEN_FOR);
      await Promise.all(due.map((one) => sync(one, ending)));
      if (due.length === TOGETHER) syncs.wake();
    },
    failed: (error) => logger.warn({ error }, 'reading templates failed'),
  });

  async function sync(due: DueSync, ending: AbortSignal): Promise<void> {
    const about = { tenant_id: due.tenant_id, account_id: due.id };
    const read = await readAll(due, ending);
    await failpoint('template_sync.after_call');
    if (typeof read === 'string') {
      logger.warn({ ...about, detail: read }, 'the templates of an account could not be read');
      await recordSyncFailure(db, due, backoff(due.tries + 1, retry, null, random()));
      return;
    }
    const changed = await recordTemplates(db, signals, due, read, every);
    await failpoint('template_sync.after_commit');
    if (changed > 0)
      logger.info({ ...about, templates: read.length, changed }, 'the templates of an account were read');
  }

  /** All templates of an account, or why they could not be read: a part of them would look as if the others were deleted. */
  async function readAll(
    { tenant_id, id, access_token_sealed }: DueSync,
    ending: AbortSignal,
  ): Promise<ProviderTemplate[] | string> {
    const templates: ProviderTemplate[] = [];
    try {
      const account = accountOf(tenant_id, id, access_token_sealed);
      let after: string | null = null;
      for (let pages = 0; pages < MOST_PAGES; pages++) {
        const page = await provider.list(account, after);
        if (page.kind === 'failed') return page.detail;
        templates.push(...page.templates);
        after = page.after;
        if (after === null) return templates;
        if (ending.aborted) return 'this server stops';
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return `there are more than ${MOST_PAGES} pages of them`;
  }

  const holds = createRounds({
    every: look,
    atOnce: true,
    async round() {
      const { held, released, failed } = await settleTemplateHolds(db, signals);
      if (held + released + failed > 0) logger.info({ held, released, failed }, 'messages follow their templates');
    },
    failed: (error) => logger.warn({ error }, 'holding messages of paused templates failed'),
  });

  const rounds = [intents, syncs, holds];
  return part(
    'templates',
    async () => {
      const hear = () => {
        for (const round of rounds) round.wake();
      };
      const unlistenAll = [signals.listen('templates', hear), signals.listen('accounts', syncs.wake)];
      unlisten = () => {
        for (const end of unlistenAll) end();
      };
      for (const round of rounds) round.start();
    },
    async () => {
      unlisten();
      await Promise.all(rounds.map((round) => round.stop()));
      await samples.uploader.close();
    },
  );
}

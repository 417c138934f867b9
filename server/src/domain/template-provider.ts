import type { TemplateId, TenantId } from './ids.ts';
import type { ParameterFormat, TemplateComponent } from './template-definition.ts';

/** What a provider is to be told of a template. */
export const TEMPLATE_INTENTS = ['create', 'edit', 'delete', 'unpause'] as const;
export type TemplateIntent = (typeof TEMPLATE_INTENTS)[number];

/** What the provider said when it did not take a template. Codes are its own (Meta: support/error-codes). */
export interface TemplateRefusal {
  code: number;
  subcode: number | null;
  title: string;
  detail: string | null;
}

/** The account a template belongs to, as its provider is asked. */
export interface TemplateAccount {
  tenant_id: TenantId;
  id: string;
  access_token: string;
}

/** A template as the provider has it, every field with care: absent ones are null. */
export interface ProviderTemplate {
  provider_id: string;
  name: string;
  language: string;
  status: string;
  /** As the provider writes it, in capitals. */
  category: string;
  quality: string | null;
  parameter_format: ParameterFormat;
  components: readonly TemplateComponent[];
  reason: string | null;
}

/** One page of an account's templates, or why there is none. `after`: where the next one begins; null: there is none. */
export type TemplatePage =
  | { kind: 'page'; templates: ProviderTemplate[]; after: string | null }
  | { kind: 'failed'; detail: string; retryAfter: number | null };

/** What came of telling the provider of a template. */
export type TemplateOutcome =
  /** It took it. Of a creation with its own id; with the status and category it gave, if it said. */
  | { kind: 'taken'; provider_id: string | null; status: string | null; category: string | null }
  | { kind: 'refused'; refusal: TemplateRefusal }
  /** It may go well later, or nobody knows. `retryAfter`: milliseconds it asked to wait. */
  | { kind: 'later'; detail: string; retryAfter: number | null };

/** What a template is to be, for a creation or an edit. Fields that are absent stay as they are. */
export interface TemplateSubmission {
  name: string;
  language: string;
  category?: string;
  parameter_format?: ParameterFormat;
  components?: readonly TemplateComponent[];
  allow_category_change?: boolean;
  message_send_ttl_seconds?: number;
}

/** The contract of a provider of templates. No call throws. None is repeated by itself. */
export interface TemplateProvider {
  /** @param after where the page begins; null: the first one. */
  list(account: TemplateAccount, after: string | null): Promise<TemplatePage>;
  /** The template of this name and language; null: there is none. */
  find(account: TemplateAccount, name: string, language: string): Promise<ProviderTemplate | null | 'unknown'>;
  create(account: TemplateAccount, submission: TemplateSubmission): Promise<TemplateOutcome>;
  edit(account: TemplateAccount, providerId: string, submission: TemplateSubmission): Promise<TemplateOutcome>;
  remove(account: TemplateAccount, providerId: string, name: string): Promise<TemplateOutcome>;
  /** Ends the pause of a template. */
  unpause(account: TemplateAccount, providerId: string): Promise<TemplateOutcome>;
}

/** What an intent carries beside what the row has. */
export type IntentPayload = Omit<TemplateSubmission, 'name' | 'language'>;

/** A template of which the provider is to be told, taken by this instance for a while. */
export interface TakenIntent {
  tenant_id: TenantId;
  account_id: string;
  id: TemplateId;
  provider_id: string | null;
  name: string;
  language: string;
  category: string;
  parameter_format: 'POSITIONAL' | 'NAMED';
  components: readonly Record<string, unknown>[];
  intent: TemplateIntent;
  intent_payload: IntentPayload;
  /** How often it was tried, this time included. */
  tries: number;
  /** When it was taken, by the database's clock. */
  taken_at: Date;
  /** null: the account is gone. */
  access_token_sealed: Buffer | null;
  /** The provider's id of the account's app; null: not known. */
  meta_app_id: string | null;
}

/** Names one try: whoever took it again since is not disturbed. */
export type IntentKey = Pick<TakenIntent, 'tenant_id' | 'id' | 'intent' | 'tries'>;

/** An account whose templates are to be read now, taken by this instance for a while. */
export interface DueSync {
  tenant_id: TenantId;
  id: string;
  access_token_sealed: Buffer;
  /** How often it failed since it last went well. */
  tries: number;
  /** When it was taken, by the database's clock. */
  taken_at: Date;
  /** Names this taking: whoever makes it due meanwhile changes it. */
  taken_until: Date;
}

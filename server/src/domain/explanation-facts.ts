import type { DoubtPolicy } from './doubt.ts';
import type { Message } from './message.ts';
import type { PaceKind, PaceSettings } from './schedule/pace.ts';
import type { ChannelName } from './sender.ts';

/** A message, and what else decides over it, as it was at one moment: what domain/explanation.ts explains. */
export interface Facts
  extends Pick<
    Message,
    | 'direction'
    | 'state'
    | 'category'
    | 'attempt'
    | 'wamid'
    | 'error'
    | 'created_at'
    | 'scheduled_at'
    | 'expires_at'
    | 'sending_at'
    | 'sent_at'
    | 'due_at'
    | 'held'
  > {
  /** By the database's clock. Every other time is of that clock too. */
  now: Date;
  /** What is written of its due work; null: it has none, or nothing holds this message alone. */
  cause: string | null;
  attempts: readonly PastAttempt[];
  /** What was told of attempts, whatever came later. */
  failures: readonly { attempt: number; source: string }[];
  /** Of attempts that nobody knew the outcome of when their grace was over: since when. */
  doubts: readonly { attempt: number; waiting_since: string; evident_at: string | null }[];
  /** null: it is of no batch. */
  batch_complete: boolean | null;
  sender: SenderFacts;
  /** Whether its tenant sends, and what the tenant chose to do in doubt. */
  processing: boolean;
  doubt_policy: DoubtPolicy;
  /** Whether a living instance owns its lane, and until when the last one lived. */
  owned: boolean;
  owner_until: Date | null;
  template: { name: string; language: string; status: string; reason: string | null } | null;
  /** Of the messaging limit of its account, as WhatsApp names it. */
  messaging_limit: string | null;
  /** The earlier message to the same recipient that goes first: it is under way, or, where order has put this one off, waits. */
  after_id: string | null;
  pauses: readonly PauseFacts[];
  windows: readonly { kind: PaceKind; started_at: string; used: number }[];
  /** How many of its sender's queue go first; counted up to 1,001. */
  ahead: number;
  /** The latest start of an attempt of its sender that a receipt has named. */
  evidence_at: Date | null;
  /** Since when the oldest webhook waits to be applied. */
  webhooks_since: Date | null;
}

export interface SenderFacts extends PaceSettings {
  name: string;
  channel: ChannelName;
  enabled: boolean;
  connected: boolean | null;
  connection_detail: string | null;
  messages_per_second: number;
}

/** An attempt that ended; times in ISO. */
export interface PastAttempt {
  attempt: number;
  started_at: string;
  ended_at: string;
  outcome: string;
  code: number | null;
  detail: string | null;
}

/** A pause of a queue that the message is in; times in ISO. */
export interface PauseFacts {
  scope: string;
  key: string;
  cause: string;
  code: number | null;
  title: string;
  detail: string | null;
  opened_at: string;
  probe_at: string | null;
}

import { DEFERRAL_CAUSES, PAUSE_CAUSES } from './causes.ts';
import type { State } from './message.ts';

/** Causes that `explain` finds by looking, beside those that are written down. */
export const FOUND_CAUSES = [
  'scheduled',
  'batch_incomplete',
  'template_held',
  'tenant_stopped',
  'sender_disabled',
  'sender_not_connected',
  'pace',
  'no_owner',
  'ahead',
  'sending',
  'unconfirmed',
] as const;

/** Every word that may hold a message back. */
export const CAUSES = [...FOUND_CAUSES, ...DEFERRAL_CAUSES, ...PAUSE_CAUSES] as const;
export type Cause = (typeof CAUSES)[number];

/** What happens next to a message, and how it is said to people. */
export const STEPS = {
  attempt: 'it is sent',
  probe: 'one message is let through, to see whether the others can follow',
  change: 'it goes on when that is changed',
  answer: 'its call is answered, or its grace ends',
  look: 'it is looked at again',
  resend: 'it is sent once more, when there is evidence',
  tell: 'it is told as failed, when there is evidence',
  receipt: 'a receipt tells more',
  expiry: 'it expires',
} as const;
export type Step = keyof typeof STEPS;

/** What is said of a cause or a state. */
export interface Text {
  /** A whole sentence. What is particular to the message follows it. */
  sentence: string;
  /** Usually; what is known of the message goes before. null: nothing more is to come. */
  next: Step | null;
  /** What a person can do. null: nothing is to be done. */
  advice: string | null;
}

const text = (sentence: string, next: Step | null, advice: string | null): Text => ({ sentence, next, advice });
const WAIT = 'Nothing has to be done: it goes by itself.';

/** One table for all causes: the page docs/explain.md is made of it. */
export const CAUSE_TEXTS: Readonly<Record<Cause, Text>> = {
  scheduled: text(
    'It is scheduled: its time has not come.',
    'attempt',
    'To change the time: PATCH /api/v1/messages/{id} with scheduled_at, null for now, or aldis message reschedule. To take it back: POST /api/v1/messages/{id}/cancel, or aldis message cancel.',
  ),
  batch_incomplete: text(
    'Its batch is still being stored, and nothing of a batch leaves before all of it is there.',
    'attempt',
    'If the request that brings the batch was cut, repeat it with the same Idempotency-Key: it goes on where it was.',
  ),
  template_held: text(
    'Its template is not being sent by WhatsApp at the moment, so it is held.',
    'change',
    'Look at the template (aldis template list). A paused one comes back by itself, or is edited and approved again; then all that is held goes.',
  ),
  tenant_stopped: text(
    'Sending is stopped for its tenant.',
    'change',
    'Start it again: POST /processor/start with a key of the tenant, or aldis tenant change ID --processing yes.',
  ),
  sender_disabled: text(
    'Its sender is switched off.',
    'change',
    'Switch it on again: PATCH /api/v1/senders/{id} with "enabled": true, or aldis sender change ID --enabled yes.',
  ),
  sender_not_connected: text(
    'WhatsApp says that its number is not connected.',
    'attempt',
    'Look at the connection_detail of the sender (aldis sender list), and mend what it names: most often the token or the registration of the number.',
  ),
  pace: text(
    'Its sender keeps a pace that was set for it, and has used this window.',
    'attempt',
    'It goes with the next window. To be faster, change per_minute, or batch_size and processing_interval_ms, of the sender.',
  ),
  no_owner: text(
    'No living instance of Aldis owns the lane of its sender, so nobody sends from it.',
    'attempt',
    'Another instance takes the lane over within seconds. If none does: see that one runs and reaches the database (aldis doctor, /ready).',
  ),
  ahead: text(
    'It is due, and waits its turn in the queue of its sender.',
    'attempt',
    'The queue moves as fast as the number may send. What is urgent goes with priority high.',
  ),
  sending: text('An attempt is under way: the call has begun, and no answer has been settled yet.', 'answer', WAIT),
  unconfirmed: text(
    'An attempt was made, and nobody knows whether the provider took it.',
    'look',
    'A receipt settles it. If none comes for any message of the number, see that webhooks reach this server (aldis doctor).',
  ),
  retry_wait: text('The last attempt failed by an error that may pass: it waits for the next.', 'attempt', WAIT),
  order: text('An earlier message to the same recipient goes first.', 'attempt', WAIT),
  pair_rate: text(
    'Its recipient has had as many messages of this number as WhatsApp takes: one in 6 seconds, 45 at once.',
    'attempt',
    'It goes by itself. Several short messages are better one longer one.',
  ),
  messaging_limit: text(
    'The business portfolio has written to as many different people within 24 hours as WhatsApp lets it.',
    'attempt',
    'It goes when a place is free. WhatsApp raises the limit of who writes to many with good quality; a verified business starts higher.',
  ),
  marketing_cap: text(
    'WhatsApp has told that its recipient has had enough marketing for now: it is not tried before its time.',
    'attempt',
    'Trying sooner does no good. What cannot wait goes as a utility template, if it is one.',
  ),
  quiet_hours: text(
    'It is night where its recipient is, and the tenant lets nothing of its category go then.',
    'attempt',
    'It goes when the quiet hours end. They are set in quiet_hours of the tenant.',
  ),
  country_paused: text(
    'WhatsApp does not let the account write to the country of its recipient at the moment.',
    'attempt',
    'See in the WhatsApp Manager what the account may do there. It is tried again now and then.',
  ),
  token_invalid: text(
    'The queue stands still: the access token is missing, expired or invalid.',
    'probe',
    "Give a new token: PATCH /api/v1/senders/{id} or /api/v1/accounts/{id} with access_token, or aldis sender (account) change ID --access-token-file FILE. A system user's token does not expire.",
  ),
  permission_missing: text(
    'The queue stands still: the access token lacks a permission.',
    'probe',
    'Give the token the permissions whatsapp_business_messaging and whatsapp_business_management, or give one that has them.',
  ),
  number_not_ready: text(
    'The queue stands still: the number is not registered or deleted, or its name is not approved.',
    'probe',
    'Register the number, or have its display name approved, in the WhatsApp Manager.',
  ),
  restricted: text(
    'The queue stands still: WhatsApp has restricted the number or the account.',
    'probe',
    'See in the WhatsApp Manager (Account Quality) why, and ask for a review there.',
  ),
  payment_trouble: text(
    'The queue stands still: the account cannot pay.',
    'probe',
    'Mend the payment method of the WhatsApp Business Account in the Business Manager.',
  ),
  account_locked: text(
    'The queue stands still: the account is locked.',
    'probe',
    'See in the WhatsApp Manager (Account Quality) why, and appeal there. Only Meta can unlock it.',
  ),
  country_restricted: text(
    'The queue stands still for this country: the account may not write to it.',
    'probe',
    'See in the WhatsApp Manager what the account may do there.',
  ),
  call_rate: text(
    'The queue stands still for a while: the app or the account has made too many calls.',
    'probe',
    'It goes on by itself. See whether another program uses up the calls of the same app.',
  ),
  maintenance: text(
    'The queue stands still for a moment: WhatsApp is raising the throughput of the number.',
    'probe',
    WAIT,
  ),
  provider_trouble: text(
    'The queue stands still: the other side fails or does not answer.',
    'probe',
    'It goes on by itself when the other side does. See its status page, and whether this machine reaches it (aldis doctor).',
  ),
};

/** What is said where nothing holds a message back. For `queued` there is always a cause. */
export const STATE_TEXTS: Readonly<Record<State, Text>> = {
  queued: text('It has not left.', 'attempt', WAIT),
  sending: text('It is being sent.', 'answer', WAIT),
  unconfirmed: text('Nobody knows whether it left.', 'look', WAIT),
  sent: text(
    'The other side has it. No receipt has told that it is delivered.',
    'receipt',
    'The phone may be off. WhatsApp keeps a message for up to 30 days.',
  ),
  delivered: text("It is on the customer's device.", 'receipt', null),
  read: text('The customer has seen it.', null, null),
  played: text('The customer has listened to it.', null, null),
  failed: text(
    'It failed, and is not tried again by itself.',
    null,
    'When what failed is mended: POST /api/v1/messages/{id}/retry, or aldis dead-letters retry ID.',
  ),
  cancelled: text('It was taken back before it left.', null, 'Send a new one if it is wanted after all.'),
  expired: text('Its validity ended before it left.', null, 'Send a new one if what it says is still true.'),
};

/** Of what is no outgoing message of ours. */
export const OTHER_TEXTS = {
  inbound: text('A customer wrote it.', null, null),
  recorded: text('It was sent elsewhere, and is only recorded here.', null, null),
  webhook: text('The webhook has taken it; no more is told of it.', null, null),
} as const satisfies Record<string, Text>;

/** What can be wrong with the provider for one number, and what must come of it. */
export interface TroubleClass {
  name: string;
  /** The simulator's rules (docs/simulator.md); each is put to the class's own number. */
  rules: readonly Record<string, unknown>[];
  /** Whether the number's queue is shut meanwhile, and held messages say `provider_trouble`. */
  paused: boolean;
  /**
   * What is known of a message that met it.
   * - `certain`: the provider said that it did not take it.
   * - `told`: nobody knows until its receipts come, and they come.
   * - `untold`: nobody ever knows; the provider has it or not, by `taken`.
   */
  doubt: 'certain' | 'told' | 'untold';
  /** Whether the provider has what met it. */
  taken: boolean;
}

/** Longer than a call may take in this drill. Milliseconds. */
const TOO_SLOW = 4000;

const trouble = (
  name: string,
  doubt: TroubleClass['doubt'],
  taken: boolean,
  ...rules: Record<string, unknown>[]
): TroubleClass => ({ name, rules, paused: true, doubt, taken });

export const TROUBLES: readonly TroubleClass[] = [
  trouble('slow', 'told', true, { kind: 'slow', delay: TOO_SLOW }),
  // The number's rate is lowered; nothing stands still for it.
  { ...trouble('429 with a code', 'certain', false, { kind: 'error', code: 130429 }), paused: false },
  trouble('429 without a code', 'untold', false, { kind: 'server_error', status: 429 }),
  trouble('5xx with a code', 'certain', false, { kind: 'error', code: 131016 }),
  trouble('5xx without a code', 'untold', false, { kind: 'server_error', status: 503 }),
  trouble('cut before it is taken', 'untold', false, { kind: 'cut_before' }),
  trouble('cut after it is taken', 'told', true, { kind: 'cut_after' }),
  trouble(
    'cut after it is taken, no receipts',
    'untold',
    true,
    { kind: 'cut_after' },
    { kind: 'webhook_lost', kinds: ['sent', 'delivered', 'read'] },
  ),
  trouble('garbage with 200, taken', 'told', true, { kind: 'garbage', accepted: true }),
  trouble('garbage with 200, not taken', 'untold', false, { kind: 'garbage', accepted: false }),
];

/** One message of each category: what may be sent once more in doubt, and what may not. */
export interface Kind {
  category: 'service' | 'utility' | 'marketing' | 'authentication';
  /** What the policy does with a doubt that evidence does not settle. */
  policy: 'resend' | 'tell';
  body: Record<string, unknown>;
}

const CODE = [{ type: 'text', text: '123456' }];

/** Templates that every account of the simulator has. */
export const KINDS: readonly Kind[] = [
  { category: 'service', policy: 'resend', body: { content: { text: 'Your parcel is there.' } } },
  { category: 'utility', policy: 'resend', body: { template: { name: 'hello_world', language: 'en_US' } } },
  { category: 'marketing', policy: 'tell', body: { template: { name: 'welcome_message', language: 'en' } } },
  {
    category: 'authentication',
    policy: 'tell',
    body: {
      template: {
        name: 'otp',
        language: 'en_US',
        components: [
          { type: 'body', parameters: CODE },
          { type: 'button', sub_type: 'url', index: '0', parameters: CODE },
        ],
      },
    },
  },
];

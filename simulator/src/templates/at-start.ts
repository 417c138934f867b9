import type { JsonObject } from '../json.ts';
import { newTemplate, type Template } from './template.ts';

type Given = Pick<Template, 'name' | 'language' | 'category' | 'parameter_format' | 'components'>;

const BODY = (text: string, example?: JsonObject): JsonObject => ({
  type: 'BODY',
  text,
  ...(example === undefined ? {} : { example }),
});

/** Those that every account has from the start. Documented in docs/simulator.md. */
const AT_START: readonly Given[] = [
  {
    // As Meta's test accounts have it.
    name: 'hello_world',
    language: 'en_US',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Hello World' },
      BODY(
        'Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message notification from the Cloud API, hosted by Meta. Thank you for taking the time to test with us.',
      ),
      { type: 'FOOTER', text: 'WhatsApp Business Platform sample message' },
    ],
  },
  {
    name: 'welcome_message',
    language: 'en',
    category: 'MARKETING',
    parameter_format: 'POSITIONAL',
    components: [BODY('Welcome! We are glad to have you with us.')],
  },
  {
    name: 'order_update',
    language: 'en_US',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [BODY('Hi {{1}}, your order {{2}} is {{3}}.', { body_text: [['Ana', 'A-1001', 'on its way']] })],
  },
  {
    name: 'otp',
    language: 'en_US',
    category: 'AUTHENTICATION',
    parameter_format: 'POSITIONAL',
    components: [
      {
        ...BODY('*{{1}}* is your verification code.', { body_text: [['123456']] }),
        add_security_recommendation: true,
      },
      {
        type: 'BUTTONS',
        buttons: [
          {
            type: 'URL',
            text: 'Copy code',
            url: 'https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}',
          },
        ],
      },
    ],
  },
  {
    name: 'spring_offer',
    language: 'en_US',
    category: 'MARKETING',
    parameter_format: 'NAMED',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Spring is here' },
      BODY('Hi {{first_name}}, use {{code}} until Sunday.', {
        body_text_named_params: [
          { param_name: 'first_name', example: 'Ana' },
          { param_name: 'code', example: 'SPRING' },
        ],
      }),
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Stop promotions' }] },
    ],
  },
];

/** The templates of a new account. `nextId` gives each its id. */
export function templatesAtStart(nextId: () => string): Template[] {
  return AT_START.map((given) => ({
    ...newTemplate({ id: nextId(), ...given }),
    status: 'APPROVED',
    was_approved: true,
  }));
}

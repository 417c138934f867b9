import { isList, isObject, type JsonObject } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import type { Category } from '../webhooks/payloads.ts';
import { codedError, graphError } from './errors.ts';

/** A message template of one business account. */
export interface Template {
  id: string;
  name: string;
  language: string;
  status: 'APPROVED' | 'PENDING' | 'PAUSED' | 'DISABLED';
  category: 'UTILITY' | 'AUTHENTICATION' | 'MARKETING';
  parameter_format: 'POSITIONAL' | 'NAMED';
  components: readonly JsonObject[];
}

/** Those that every account has from the start. Documented in docs/simulator.md. */
const AT_START: readonly Omit<Template, 'id'>[] = [
  {
    name: 'hello_world',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Hello World' },
      { type: 'BODY', text: 'Welcome and congratulations!! This message demonstrates your ability to send a message.' },
      { type: 'FOOTER', text: 'WhatsApp Business Platform sample message' },
    ],
  },
  {
    name: 'order_update',
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [
      {
        type: 'BODY',
        text: 'Hi {{1}}, your order {{2}} is {{3}}.',
        example: { body_text: [['Ana', 'A-1001', 'on its way']] },
      },
    ],
  },
  {
    name: 'otp',
    language: 'en_US',
    status: 'APPROVED',
    category: 'AUTHENTICATION',
    parameter_format: 'POSITIONAL',
    components: [
      {
        type: 'BODY',
        text: '*{{1}}* is your verification code.',
        add_security_recommendation: true,
        example: { body_text: [['123456']] },
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
    status: 'APPROVED',
    category: 'MARKETING',
    parameter_format: 'NAMED',
    components: [
      { type: 'HEADER', format: 'TEXT', text: 'Spring is here' },
      {
        type: 'BODY',
        text: 'Hi {{first_name}}, use {{code}} until Sunday.',
        example: {
          body_text_named_params: [
            { param_name: 'first_name', example: 'Ana' },
            { param_name: 'code', example: 'SPRING' },
          ],
        },
      },
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Stop promotions' }] },
    ],
  },
];

const MAX_PER_ACCOUNT = 250;
const CATEGORIES = ['UTILITY', 'AUTHENTICATION', 'MARKETING'] as const;

/** The templates of every account. */
export class Templates {
  readonly #accounts = new Map<string, Template[]>();
  #lastId = 1_590_000_000_000_000;

  /** The template that a send names, whatever its status. */
  find(wabaId: string, name: unknown, language: unknown): Template | undefined {
    return this.#of(wabaId).find((template) => template.name === name && template.language === language);
  }

  /** GET: filters `name`, `status`, `language`, `category`; pages of `limit` by the cursor `after`. */
  list(wabaId: string, query: URLSearchParams): Reply {
    const matches = this.#of(wabaId).filter((template) => {
      const wanted = (key: 'name' | 'status' | 'language' | 'category'): boolean => {
        const value = query.get(key);
        if (value === null) return true;
        return key === 'name' ? template.name.includes(value) : template[key].toUpperCase() === value.toUpperCase();
      };
      return wanted('name') && wanted('status') && wanted('language') && wanted('category');
    });
    const limit = Math.min(Math.max(Number(query.get('limit') ?? 25) || 25, 1), 1000);
    const start = cursorPosition(query.get('after'));
    const page = matches.slice(start, start + limit);
    if (page.length === 0) return json({ data: [] });
    const cursors = { before: cursor(start), after: cursor(start + page.length) };
    return json({ data: page, paging: { cursors } });
  }

  /** POST: a template to be reviewed. `created` is told when there is one. */
  create(wabaId: string, body: unknown, created: (template: Template) => void): Reply {
    if (!isObject(body)) return graphError('(#100) The parameter name is required.');
    const { name, language, category, components, parameter_format: format } = body;
    if (typeof name !== 'string' || !/^[a-z0-9_]{1,512}$/.test(name)) {
      return graphError(
        '(#100) Param name must contain only lowercase alphanumeric characters and underscores, 1 to 512 of them.',
      );
    }
    if (typeof language !== 'string' || !/^[a-z]{2,3}(_[A-Za-z]{2,4})?$/.test(language)) {
      return graphError('(#100) Param language must be a language code such as en_US.');
    }
    const known = CATEGORIES.find((candidate) => candidate === category);
    if (!known) return graphError(`(#100) Param category must be one of {${CATEGORIES.join(', ')}}.`);
    const parts = isList(components) ? components.filter(isObject) : [];
    if (!parts.some((part) => part.type === 'BODY')) return graphError('(#100) Param components must have a BODY.');
    const templates = this.#of(wabaId);
    if (this.find(wabaId, name, language)) {
      return graphError('Content in this language already exists', { subcode: 2388024 });
    }
    if (templates.length >= MAX_PER_ACCOUNT) return graphError('Message Template Limit Exceeded', { subcode: 2388019 });
    const template: Template = {
      id: String(++this.#lastId),
      name,
      language,
      status: 'PENDING',
      category: known,
      parameter_format: typeof format === 'string' && format.toUpperCase() === 'NAMED' ? 'NAMED' : 'POSITIONAL',
      components: parts,
    };
    templates.push(template);
    created(template);
    return json({ id: template.id, status: template.status, category: template.category });
  }

  /** DELETE: all languages of `name`, or the one whose id is `hsm_id`. */
  remove(wabaId: string, query: URLSearchParams): Reply {
    const name = query.get('name');
    const id = query.get('hsm_id');
    if (name === null) return graphError('(#100) The parameter name is required.');
    const templates = this.#of(wabaId);
    const kept = templates.filter((template) => template.name !== name || (id !== null && template.id !== id));
    if (kept.length === templates.length) {
      return graphError(`Message template "${name}" wasn't found in any language`, { subcode: 2593002 });
    }
    this.#accounts.set(wabaId, kept);
    return json({ success: true });
  }

  clear(): void {
    this.#accounts.clear();
  }

  #of(wabaId: string): Template[] {
    let templates = this.#accounts.get(wabaId);
    if (!templates) {
      templates = AT_START.map((template) => ({ id: String(++this.#lastId), ...template }));
      this.#accounts.set(wabaId, templates);
    }
    return templates;
  }
}

/** The category of a template as pricing names it. */
export function categoryOf(template: Template): Category {
  return template.category === 'UTILITY'
    ? 'utility'
    : template.category === 'MARKETING'
      ? 'marketing'
      : 'authentication';
}

const VARIABLE = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

function variablesOf(text: unknown): string[] {
  return typeof text === 'string' ? [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1] ?? ''))] : [];
}

/** What is wrong with the `components` of a send, or undefined when they fit the template. */
export function checkParameters(template: Template, components: unknown): Reply | undefined {
  const given = isList(components) ? components.filter(isObject) : [];
  for (const part of template.components) {
    const kind = String(part.type).toLowerCase();
    if (kind === 'buttons') {
      const problem = checkButtons(part.buttons, given);
      if (problem) return problem;
      continue;
    }
    const variables = variablesOf(part.text);
    const media = kind === 'header' && part.format !== 'TEXT' && part.format !== undefined;
    const expected = media ? 1 : variables.length;
    const parameters = parametersOf(given.find((component) => String(component.type).toLowerCase() === kind));
    if (parameters.length !== expected) {
      return codedError(
        132000,
        `${kind}: number of localizable_params (${parameters.length}) does not match the expected number of params (${expected})`,
      );
    }
    if (template.parameter_format !== 'NAMED' || media) continue;
    const missing = variables.find((name) => !parameters.some((parameter) => parameter.parameter_name === name));
    if (missing) return codedError(132018, `${kind}: Parameter name is missing or empty: ${missing}`);
  }
  return undefined;
}

function checkButtons(buttons: unknown, given: readonly JsonObject[]): Reply | undefined {
  for (const [index, button] of (isList(buttons) ? buttons : []).entries()) {
    const variable = isObject(button) && variablesOf(button.url).length > 0;
    if (!variable) continue;
    const component = given.find((one) => String(one.type).toLowerCase() === 'button' && Number(one.index) === index);
    if (parametersOf(component).length !== 1) {
      return codedError(131008, `buttons: Button at index ${index} of type Url requires a parameter`);
    }
  }
  return undefined;
}

function parametersOf(component: JsonObject | undefined): readonly JsonObject[] {
  return isList(component?.parameters) ? component.parameters.filter(isObject) : [];
}

function cursor(position: number): string {
  return Buffer.from(String(position)).toString('base64url');
}

function cursorPosition(text: string | null): number {
  return text === null ? 0 : Number(Buffer.from(text, 'base64url').toString()) || 0;
}

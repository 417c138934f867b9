import type { Clock } from '../clock.ts';
import { graphError, templateError } from '../graph/errors.ts';
import { isList, isObject, type JsonObject, textOf } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import type { Settings } from '../settings.ts';
import type { TemplateNews } from '../webhooks/account-news.ts';
import { templatesAtStart } from './at-start.ts';
import { checkComponents } from './creation-check.ts';
import { newTemplate, TEMPLATE_CATEGORIES, type Template } from './template.ts';
import { describeTemplate, listTemplates } from './view.ts';

const MAX_PER_ACCOUNT = 250;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The name of a deleted template that was approved (.../templates/template-management). */
const NAME_BLOCKED = 30 * DAY;
/** An approved template may be edited once a day, and ten times in thirty. */
const EDITS = { a_day: 1, a_month: 10 };
/** How long a pause lasts: the first, the second. The third is for good (.../templates/template-pausing). */
const PAUSES = [3 * HOUR, 6 * HOUR];
/** Names that are remembered as blocked. Beyond it the oldest may be used again. */
const MAX_BLOCKED = 10_000;
const EDITABLE = ['APPROVED', 'REJECTED', 'PAUSED'];

/** Says what became of a template, by webhook. */
export type Tell = (wabaId: string, template: Template, news: TemplateNews) => void;

/** The templates of every account, and what becomes of them. */
export class Templates {
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #accounts = new Map<string, Template[]>();
  /** Names that were deleted, by account and name: until when they are blocked. */
  readonly #blocked = new Map<string, number>();
  /** Forgets reviews and pauses that lie ahead when it grows. */
  #era = 0;
  #lastId = 1_590_000_000_000_000;

  constructor(settings: Settings, clock: Clock, tell: Tell) {
    this.#settings = settings;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The template that a send names, whatever its status. */
  find(wabaId: string, name: unknown, language: unknown): Template | undefined {
    return this.#of(wabaId).find((template) => template.name === name && template.language === language);
  }

  /** The template with this id, and its account. */
  byId(id: string): { wabaId: string; template: Template } | undefined {
    for (const [wabaId, templates] of this.#accounts) {
      const template = templates.find((one) => one.id === id);
      if (template) return { wabaId, template };
    }
    return undefined;
  }

  /** GET /{waba}/message_templates. */
  list(wabaId: string, query: URLSearchParams, base: string): Reply {
    return listTemplates(this.#of(wabaId), query, `${base}/v26.0/${wabaId}/message_templates`);
  }

  /** GET /{template_id}. */
  describe(template: Template, query: URLSearchParams): Reply {
    return describeTemplate(template, query);
  }

  /** POST /{waba}/message_templates: a template to be reviewed. */
  create(wabaId: string, body: unknown): Reply {
    if (!isObject(body)) return graphError('(#100) The parameter name is required.');
    const { name, language, category, components, parameter_format: format, message_send_ttl_seconds: ttl } = body;
    if (typeof name !== 'string' || !/^[a-z0-9_]{1,512}$/.test(name)) {
      return graphError(
        '(#100) Param name must contain only lowercase alphanumeric characters and underscores, 1 to 512 of them.',
      );
    }
    if (typeof language !== 'string' || !/^[a-z]{2,3}(_[A-Za-z]{2,4})?$/.test(language)) {
      return graphError('(#100) Param language must be a language code such as en_US.');
    }
    const known = TEMPLATE_CATEGORIES.find((candidate) => candidate === String(category).toUpperCase());
    if (!known) return graphError(`(#100) Param category must be one of {${TEMPLATE_CATEGORIES.join(', ')}}.`);
    const wanted = format === undefined ? 'POSITIONAL' : textOf(format).toUpperCase();
    if (wanted !== 'POSITIONAL' && wanted !== 'NAMED') {
      return graphError('(#100) Param parameter_format must be one of {POSITIONAL, NAMED}.');
    }
    const parts = isList(components) ? components.filter(isObject) : [];
    const problem = checkComponents({ category: known, parameter_format: wanted }, parts);
    if (problem) return problem;
    const templates = this.#of(wabaId);
    if (this.find(wabaId, name, language)) {
      return templateError(
        2388024,
        'Content in this language already exists',
        `There is already ${language} content for this template. You can create a new template and try again.`,
      );
    }
    if ((this.#blocked.get(`${wabaId} ${name}`) ?? 0) > this.#clock.now()) {
      return templateError(
        2388023,
        'Message Template Language is Being Deleted',
        `New ${language} content can't be added while the existing ${language} content is being deleted. Try again in 4 weeks or create a new message template.`,
      );
    }
    if (templates.length >= MAX_PER_ACCOUNT) {
      return templateError(
        2388019,
        'Message Template Limit Exceeded',
        'This account has as many templates as it may have.',
      );
    }
    const template = newTemplate({
      id: this.#nextId(),
      name,
      language,
      category: known,
      parameter_format: wanted,
      components: known === 'AUTHENTICATION' ? authenticationText(parts) : parts,
    });
    if (typeof ttl === 'number') template.message_send_ttl_seconds = ttl;
    templates.push(template);
    this.#review(wabaId, template, false);
    return json({ id: template.id, status: template.status, category: template.category });
  }

  /** POST /{template_id}: components are replaced whole, and reviewed. */
  edit(wabaId: string, template: Template, body: unknown): Reply {
    if (!isObject(body)) return graphError('(#100) Invalid parameter: the body must be a JSON object.');
    if (!EDITABLE.includes(template.status)) {
      return graphError(`(#100) Invalid parameter: a template that is ${template.status} cannot be edited.`);
    }
    const category = body.category === undefined ? template.category : textOf(body.category).toUpperCase();
    const known = TEMPLATE_CATEGORIES.find((candidate) => candidate === category);
    if (!known) return graphError(`(#100) Param category must be one of {${TEMPLATE_CATEGORIES.join(', ')}}.`);
    if (known !== template.category && template.status === 'APPROVED') {
      return graphError('(#100) Invalid parameter: the category of an approved template cannot be changed.');
    }
    const parts = isList(body.components) ? body.components.filter(isObject) : template.components;
    const problem = checkComponents({ category: known, parameter_format: template.parameter_format }, parts);
    if (problem) return problem;
    const now = this.#clock.now();
    if (template.status === 'APPROVED') {
      template.edits = template.edits.filter((at) => now - at < 30 * DAY);
      const today = template.edits.filter((at) => now - at < DAY).length;
      if (today >= EDITS.a_day || template.edits.length >= EDITS.a_month) {
        return graphError(
          '(#100) Invalid parameter: an approved template can be edited once in 24 hours and 10 times in 30 days.',
        );
      }
      template.edits.push(now);
    }
    template.components = known === 'AUTHENTICATION' ? authenticationText(parts) : parts;
    template.category = known;
    if (typeof body.message_send_ttl_seconds === 'number') {
      template.message_send_ttl_seconds = body.message_send_ttl_seconds;
    }
    template.status = 'PENDING';
    template.rejected_reason = 'NONE';
    this.#review(wabaId, template, true);
    return json({ success: true });
  }

  /** DELETE /{waba}/message_templates: all languages of `name`, or the one whose id is `hsm_id`. */
  remove(wabaId: string, query: URLSearchParams): Reply {
    const name = query.get('name');
    const id = query.get('hsm_id');
    if (name === null) return graphError('(#100) The parameter name is required.');
    const templates = this.#of(wabaId);
    const gone = templates.filter((template) => template.name === name && (id === null || template.id === id));
    if (gone.length === 0) {
      return templateError(2593002, 'Message template not found', `Message template "${name}" was not found.`);
    }
    this.#accounts.set(
      wabaId,
      templates.filter((template) => !gone.includes(template)),
    );
    for (const template of gone) {
      template.review++;
      if (template.was_approved) this.#block(`${wabaId} ${name}`);
      this.#tell(wabaId, template, { kind: 'status', event: 'DELETED' });
    }
    return json({ success: true });
  }

  /** POST /{template_id}/unpause. */
  unpause(wabaId: string, template: Template): Reply {
    if (template.status !== 'PAUSED') return json({ success: false, reason: 'The template is not paused.' });
    this.#unpaused(wabaId, template);
    return json({ success: true });
  }

  /** Pauses it for as long as its next pause lasts. The third pause is for good. */
  pause(wabaId: string, template: Template): void {
    const lasts = PAUSES[template.pauses];
    template.pauses++;
    if (lasts === undefined) {
      this.disable(wabaId, template);
      return;
    }
    template.status = 'PAUSED';
    template.paused_until = this.#clock.now() + lasts;
    const title = template.pauses === 1 ? 'FIRST_PAUSE' : 'SECOND_PAUSE';
    this.#tell(wabaId, template, { kind: 'status', event: 'PAUSED', title });
    const [until, era] = [template.paused_until, this.#era];
    this.#clock.at(until, () => {
      if (era !== this.#era || template.status !== 'PAUSED' || template.paused_until !== until) return;
      this.#unpaused(wabaId, template);
    });
  }

  disable(wabaId: string, template: Template): void {
    template.status = 'DISABLED';
    this.#tell(wabaId, template, { kind: 'status', event: 'DISABLED' });
  }

  approve(wabaId: string, template: Template): void {
    template.review++;
    template.status = 'APPROVED';
    template.was_approved = true;
    template.rejected_reason = 'NONE';
    this.#tell(wabaId, template, { kind: 'status', event: 'APPROVED' });
  }

  clear(): void {
    this.#era++;
    this.#accounts.clear();
    this.#blocked.clear();
  }

  #block(key: string): void {
    this.#blocked.delete(key);
    this.#blocked.set(key, this.#clock.now() + NAME_BLOCKED);
    if (this.#blocked.size <= MAX_BLOCKED) return;
    for (const oldest of this.#blocked.keys()) {
      this.#blocked.delete(oldest);
      break;
    }
  }

  #nextId(): string {
    return String(++this.#lastId);
  }

  #unpaused(wabaId: string, template: Template): void {
    template.status = 'APPROVED';
    template.paused_until = 0;
    this.#tell(wabaId, template, { kind: 'status', event: 'APPROVED', title: 'UNPAUSE' });
  }

  /** The review ends after its time by the clock, unless somebody is to decide. */
  #review(wabaId: string, template: Template, edited: boolean): void {
    const mine = ++template.review;
    if (this.#settings.template_review === 'manual') return;
    const era = this.#era;
    this.#clock.at(this.#clock.now() + this.#settings.template_review_ms, () => {
      if (era !== this.#era || template.review !== mine) return;
      if (edited) this.#tell(wabaId, template, { kind: 'components' });
      this.approve(wabaId, template);
    });
  }

  #of(wabaId: string): Template[] {
    let templates = this.#accounts.get(wabaId);
    if (!templates) {
      templates = templatesAtStart(() => this.#nextId());
      this.#accounts.set(wabaId, templates);
    }
    return templates;
  }
}

/** Meta writes the text of an authentication template itself, and makes its button one with an address. */
function authenticationText(parts: readonly JsonObject[]): JsonObject[] {
  return parts.map((part) => {
    switch (String(part.type).toUpperCase()) {
      case 'BODY':
        return {
          ...part,
          text: '*{{1}}* is your verification code.',
          example: { body_text: [['123456']] },
        };
      case 'FOOTER':
        return { ...part, text: `This code expires in ${textOf(part.code_expiration_minutes, '10')} minutes.` };
      case 'BUTTONS': {
        const [button] = isList(part.buttons) ? part.buttons.filter(isObject) : [];
        const type = textOf(button?.otp_type, 'COPY_CODE').toUpperCase();
        const url = `https://www.whatsapp.com/otp/code/?otp_type=${type}&code=otp{{1}}`;
        return { type: 'BUTTONS', buttons: [{ type: 'URL', text: textOf(button?.text, 'Copy code'), url }] };
      }
      default:
        return part;
    }
  });
}

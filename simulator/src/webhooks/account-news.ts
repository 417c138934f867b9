import type { JsonObject } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import { buttonsOf, componentOf, type Template } from '../templates/template.ts';
import type { Envelope } from './payloads.ts';

/** What became of a template. `title` is what Meta says of pauses; `reason` why it was rejected. */
export type TemplateNews =
  | { kind: 'status'; event: string; reason?: string; title?: string; rejection_info?: JsonObject }
  | { kind: 'quality'; previous: string }
  | { kind: 'components' }
  | { kind: 'category'; previous: string };

/** A webhook about an account (.../webhooks/reference, 2026-05-21). `at` is in milliseconds since 1970. */
export function accountEnvelope(wabaId: string, field: string, value: JsonObject, at: number): Envelope {
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: wabaId, time: Math.floor(at / 1000), changes: [{ value, field }] }],
  };
}

/** A webhook about a template: status, quality, components or category. */
export function templateEnvelope(wabaId: string, template: Template, news: TemplateNews, at: number): Envelope {
  const named = {
    message_template_id: Number(template.id),
    message_template_name: template.name,
    message_template_language: template.language,
  };
  const tell = (field: string, value: JsonObject): Envelope => accountEnvelope(wabaId, field, value, at);
  switch (news.kind) {
    case 'status':
      return tell('message_template_status_update', {
        event: news.event,
        ...named,
        reason: news.reason ?? 'NONE',
        message_template_category: template.category,
        ...(news.event === 'DISABLED' ? { disable_info: { disable_date: String(Math.floor(at / 1000)) } } : {}),
        ...(news.title === undefined
          ? {}
          : { other_info: { title: news.title, description: describePause(news.title) } }),
        ...(news.rejection_info === undefined ? {} : { rejection_info: news.rejection_info }),
      });
    case 'quality':
      return tell('message_template_quality_update', {
        previous_quality_score: news.previous,
        new_quality_score: template.quality,
        ...named,
      });
    case 'category':
      return tell('template_category_update', {
        ...named,
        previous_category: news.previous,
        new_category: template.category,
      });
    case 'components':
      return tell('message_template_components_update', { ...named, ...componentTexts(template) });
  }
}

function describePause(title: string): string {
  if (title === 'UNPAUSE') return 'Your WhatsApp message template has been unpaused.';
  const hours = title === 'FIRST_PAUSE' ? 3 : 6;
  return `Your WhatsApp message template has been paused for ${hours} hours until its quality improves.`;
}

function componentTexts({ components }: Template): JsonObject {
  const header = componentOf(components, 'header');
  const footer = componentOf(components, 'footer');
  const buttons = buttonsOf(components).map((button) => ({
    message_template_button_type: button.type,
    message_template_button_text: button.text,
    ...(button.url === undefined ? {} : { message_template_button_url: button.url }),
    ...(button.phone_number === undefined ? {} : { message_template_button_phone_number: button.phone_number }),
  }));
  return {
    ...(header?.text === undefined ? {} : { message_template_title: header.text }),
    message_template_element: componentOf(components, 'body')?.text,
    ...(footer === undefined ? {} : { message_template_footer: footer.text }),
    ...(buttons.length === 0 ? {} : { message_template_buttons: buttons }),
  };
}

/** What a change of a number is told by: its field and value, in the order in which Meta would. */
export function numberNews(before: BusinessNumber, after: BusinessNumber): { field: string; value: JsonObject }[] {
  const news: { field: string; value: JsonObject }[] = [];
  const shown = { display_phone_number: after.display_phone_number };
  const limit = { current_limit: after.messaging_limit, max_daily_conversations_per_business: after.messaging_limit };
  const quality = (event: string, more: JsonObject = {}): void => {
    news.push({ field: 'phone_number_quality_update', value: { ...shown, event, ...more, ...limit } });
  };
  if (after.quality_rating !== before.quality_rating) {
    if (after.quality_rating === 'RED') quality('FLAGGED');
    else if (before.quality_rating === 'RED') quality('UNFLAGGED');
  }
  if (after.messaging_limit !== before.messaging_limit) {
    const up = dailyUsers(after) === -1 || (dailyUsers(before) !== -1 && dailyUsers(after) > dailyUsers(before));
    quality(up ? 'UPGRADE' : 'DOWNGRADE', { old_limit: before.messaging_limit });
    const value = { max_daily_conversations_per_business: dailyUsers(after), max_phone_numbers_per_business: 25 };
    news.push({ field: 'business_capability_update', value });
  }
  if (after.throughput >= HIGH && before.throughput < HIGH) {
    const value = { ...shown, event: 'THROUGHPUT_UPGRADE', current_limit: 'TIER_UNLIMITED' };
    news.push({
      field: 'phone_number_quality_update',
      value: { ...value, max_daily_conversations_per_business: after.messaging_limit },
    });
  }
  if (after.verified_name !== before.verified_name || after.name_status !== before.name_status) {
    const rejected = after.name_status === 'DECLINED';
    const value = {
      ...shown,
      decision: rejected ? 'REJECTED' : 'APPROVED',
      requested_verified_name: after.verified_name,
      rejection_reason: rejected ? 'NAME_NOT_CONSISTENT' : null,
    };
    news.push({ field: 'phone_number_name_update', value });
  }
  return news;
}

/** From this on Meta calls a number's throughput high (.../throughput). */
export const HIGH = 1000;

/** How many users a day a number's portfolio may write to first; -1 is any number. */
export function dailyUsers({ messaging_limit: limit }: BusinessNumber): number {
  switch (limit) {
    case 'TIER_250':
      return 250;
    case 'TIER_2K':
      return 2000;
    case 'TIER_10K':
      return 10_000;
    case 'TIER_100K':
      return 100_000;
    case 'TIER_UNLIMITED':
      return -1;
  }
}

import { isList, isObject, type JsonObject } from '../json.ts';
import type { Reply } from '../reply.ts';
import { codedError, graphError } from './errors.ts';
import { required, text, tooLong } from './parameter.ts';

/**
 * What Meta refuses at once about an interactive message. Limits: .../messages/interactive-* (2026-05) and the OpenAPI document
 * business-messaging-api v23.0. Each check returns the refusal, or undefined.
 */
type Check = (interactive: JsonObject, action: JsonObject) => Reply | undefined;

const MEDIA_HEADERS = ['image', 'video', 'document'];

const KINDS: Readonly<Record<string, Check>> = {
  button: ({ body }, action) => needsBody(body) ?? checkButtons(action),
  list: ({ body }, action) => needsBody(body) ?? checkList(action),
  cta_url: ({ body }, action) => needsBody(body) ?? checkUrl(action),
  flow: ({ body }, action) => needsBody(body) ?? checkFlow(action),
  location_request_message: ({ body }, action) => needsBody(body) ?? named(action, ['send_location']),
  address_message: ({ body }, action) => needsBody(body) ?? named(action, ['address_message']),
  voice_call: ({ body }, action) => needsBody(body) ?? named(action, ['voice_call']),
  product: (_interactive, action) => needsText(action, ['catalog_id', 'product_retailer_id']),
  product_list: ({ header, body }, action) =>
    needsBody(body) ?? (isObject(header) ? undefined : required("interactive['header']")) ?? checkProducts(action),
  catalog_message: ({ body }, action) => needsBody(body) ?? named(action, ['catalog_message']),
  carousel: ({ body }, action) => needsBody(body) ?? checkCarousel(action),
};

/** What Meta refuses about the content of an interactive message, or undefined. */
export function checkInteractive(interactive: JsonObject): Reply | undefined {
  const { type, header, body, footer, action } = interactive;
  if (!text(type)) return required("interactive['type']");
  const check = KINDS[type];
  if (!check) {
    const kinds = Object.keys(KINDS).join(', ').toUpperCase();
    return graphError(`(#100) Param interactive['type'] must be one of {${kinds}} - got "${type}".`);
  }
  if (!isObject(action)) return required("interactive['action']");
  return (
    tooLong("interactive['body']['text']", isObject(body) ? body.text : undefined, type === 'list' ? 4096 : 1024) ??
    checkHeader(type, header) ??
    (isObject(footer) ? tooLong("interactive['footer']['text']", footer.text, 60) : undefined) ??
    check(interactive, action)
  );
}

function needsBody(body: unknown): Reply | undefined {
  return isObject(body) && text(body.text) ? undefined : required("interactive['body']['text']");
}

function needsText(from: JsonObject, names: readonly string[], at = "interactive['action']"): Reply | undefined {
  const missing = names.find((name) => !text(from[name]));
  return missing === undefined ? undefined : required(`${at}['${missing}']`);
}

function named(action: JsonObject, names: readonly string[]): Reply | undefined {
  if (names.some((name) => name === action.name)) return undefined;
  return graphError(`(#100) Param interactive['action']['name'] must be one of {${names.join(', ')}}.`);
}

function checkHeader(type: string, header: unknown): Reply | undefined {
  if (header === undefined) return undefined;
  if (!isObject(header)) return graphError("(#100) Param interactive['header'] must be a JSON object.");
  if (header.type === 'text') {
    if (!text(header.text)) return required("interactive['header']['text']");
    return tooLong("interactive['header']['text']", header.text, 60);
  }
  const kind = MEDIA_HEADERS.find((known) => known === header.type);
  if (kind === undefined || type === 'list' || type === 'product_list') {
    return codedError(131009, `interactive['header']['type'] is not allowed: ${String(header.type)}`);
  }
  const media = header[kind];
  return isObject(media) && (text(media.id) || text(media.link))
    ? undefined
    : required(`interactive['header']['${kind}']['id'] or ['link']`);
}

function checkButtons({ buttons }: JsonObject): Reply | undefined {
  const list = isList(buttons) ? buttons : [];
  if (list.length < 1 || list.length > 3) {
    return codedError(131009, 'Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3');
  }
  for (const [index, button] of list.entries()) {
    const reply = isObject(button) && isObject(button.reply) ? button.reply : {};
    const at = `interactive['action']['buttons'][${index}]['reply']`;
    if (!text(reply.id)) return required(`${at}['id']`);
    if (!text(reply.title)) return required(`${at}['title']`);
    const problem = tooLong(`${at}['id']`, reply.id, 256) ?? tooLong(`${at}['title']`, reply.title, 20);
    if (problem) return problem;
  }
  return undefined;
}

function checkList({ button, sections }: JsonObject): Reply | undefined {
  if (!text(button)) return required("interactive['action']['button']");
  const list = isList(sections) ? sections.filter(isObject) : [];
  if (list.length < 1 || list.length > 10) return codedError(131009, 'Invalid sections count. Min 1, max 10');
  const rows = list.flatMap((section) => (isList(section.rows) ? section.rows.filter(isObject) : []));
  if (rows.length < 1 || rows.length > 10) return codedError(131009, 'Total row count exceed max allowed count: 10');
  for (const row of rows) {
    if (!text(row.id)) return required("interactive['action']['sections']['rows']['id']");
    if (!text(row.title)) return required("interactive['action']['sections']['rows']['title']");
    const problem =
      tooLong("interactive['action']['sections']['rows']['id']", row.id, 200) ??
      tooLong("interactive['action']['sections']['rows']['title']", row.title, 24) ??
      tooLong("interactive['action']['sections']['rows']['description']", row.description, 72);
    if (problem) return problem;
  }
  return tooLong("interactive['action']['button']", button, 20);
}

function checkUrl({ name, parameters }: JsonObject): Reply | undefined {
  if (name !== 'cta_url') return graphError("(#100) Param interactive['action']['name'] must be one of {cta_url}.");
  const { display_text: shown, url } = isObject(parameters) ? parameters : {};
  if (!text(shown)) return required("interactive['action']['parameters']['display_text']");
  if (!text(url) || !/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    return graphError("(#100) Param interactive['action']['parameters']['url'] is not a valid URI.");
  }
  return tooLong("interactive['action']['parameters']['display_text']", shown, 20);
}

function checkFlow({ name, parameters }: JsonObject): Reply | undefined {
  if (name !== 'flow') return graphError("(#100) Param interactive['action']['name'] must be one of {flow}.");
  const at = "interactive['action']['parameters']";
  const given = isObject(parameters) ? parameters : {};
  if (!text(given.flow_id) && !text(given.flow_name)) return required(`${at}['flow_id'] or ['flow_name']`);
  return needsText(given, ['flow_message_version', 'flow_cta'], at) ?? tooLong(`${at}['flow_cta']`, given.flow_cta, 30);
}

function checkProducts(action: JsonObject): Reply | undefined {
  const list = isList(action.sections) ? action.sections.filter(isObject) : [];
  const items = list.flatMap(({ product_items: products }) => (isList(products) ? products.filter(isObject) : []));
  if (list.length < 1 || list.length > 10) return codedError(131009, 'Invalid sections count. Min 1, max 10');
  if (items.length < 1 || items.length > 30) return codedError(131009, 'Invalid products count. Min 1, max 30');
  const missing = items.some((item) => !text(item.product_retailer_id));
  if (missing) return required("interactive['action']['sections']['product_items']['product_retailer_id']");
  return needsText(action, ['catalog_id']);
}

function checkCarousel({ cards }: JsonObject): Reply | undefined {
  const list = isList(cards) ? cards.filter(isObject) : [];
  if (list.length < 2 || list.length > 10) return codedError(131009, 'Invalid cards count. Min 2, max 10');
  for (const [index, card] of list.entries()) {
    if (card.card_index !== index) return codedError(131009, `card_index of card ${index} must be ${index}`);
    if (!isObject(card.action)) return required(`interactive['action']['cards'][${index}]['action']`);
  }
  return undefined;
}

import { invalid, missing, objectAt, openObjectAt, optionalStringAt, stringAt, wordAt } from './fields.ts';
import { checkSections, checkTotal } from './interactive-buttons.ts';

/** Shapes of flows, products, catalogs and addresses. What they name, only WhatsApp knows; only shapes are checked. */

/** Products and the button of a flow: Meta, messages/interactive-* and flows/guides/sendingaflow. Of ids: ours. */
const LIMITS = { products: 30, id: 256, flowCta: 30, version: 16 } as const;

export function checkFlow(path: string, value: unknown): void {
  const { name, parameters } = objectAt(path, value, ['name', 'parameters']);
  wordAt(`${path}.name`, name, ['flow']);
  const at = `${path}.parameters`;
  const flow = objectAt(at, parameters, [
    'flow_message_version',
    'flow_token',
    'flow_id',
    'flow_name',
    'flow_cta',
    'flow_action',
    'flow_action_payload',
    'mode',
  ]);
  const { flow_id, flow_name, flow_action, flow_action_payload, mode } = flow;
  stringAt(`${at}.flow_message_version`, flow['flow_message_version'], LIMITS.version);
  stringAt(`${at}.flow_cta`, flow['flow_cta'], LIMITS.flowCta);
  optionalStringAt(`${at}.flow_token`, flow['flow_token'], LIMITS.id);
  if (flow_id === undefined && flow_name === undefined) throw missing(`${at}.flow_id`, 'or flow_name is required');
  if (flow_id !== undefined && flow_name !== undefined)
    throw invalid(`${at}.flow_name`, 'must not be given with flow_id');
  optionalStringAt(`${at}.flow_id`, flow_id, LIMITS.id);
  optionalStringAt(`${at}.flow_name`, flow_name, LIMITS.id);
  if (flow_action !== undefined) wordAt(`${at}.flow_action`, flow_action, ['navigate', 'data_exchange']);
  if (mode !== undefined) wordAt(`${at}.mode`, mode, ['draft', 'published']);
  if (flow_action_payload === undefined) return;
  const payload = objectAt(`${at}.flow_action_payload`, flow_action_payload, ['screen', 'data']);
  stringAt(`${at}.flow_action_payload.screen`, payload['screen'], LIMITS.id);
  if (payload['data'] !== undefined) openObjectAt(`${at}.flow_action_payload.data`, payload['data']);
}

/** One product. */
export function checkProduct(path: string, value: unknown): void {
  const { catalog_id, product_retailer_id } = objectAt(path, value, ['catalog_id', 'product_retailer_id']);
  stringAt(`${path}.catalog_id`, catalog_id, LIMITS.id);
  stringAt(`${path}.product_retailer_id`, product_retailer_id, LIMITS.id);
}

/** Up to thirty products, in sections. */
export function checkProducts(path: string, value: unknown): void {
  const { catalog_id, sections } = objectAt(path, value, ['catalog_id', 'sections']);
  stringAt(`${path}.catalog_id`, catalog_id, LIMITS.id);
  let total = 0;
  checkSections(`${path}.sections`, sections, 'product_items', (at, item) => {
    checkTotal(at, ++total, LIMITS.products, 'products');
    const { product_retailer_id } = objectAt(at, item, ['product_retailer_id']);
    stringAt(`${at}.product_retailer_id`, product_retailer_id, LIMITS.id);
  });
}

export function checkCatalog(path: string, value: unknown): void {
  const { name, parameters } = objectAt(path, value, ['name', 'parameters']);
  wordAt(`${path}.name`, name, ['catalog_message']);
  if (parameters === undefined) return;
  const at = `${path}.parameters`;
  const { thumbnail_product_retailer_id: thumbnail } = objectAt(at, parameters, ['thumbnail_product_retailer_id']);
  optionalStringAt(`${at}.thumbnail_product_retailer_id`, thumbnail, LIMITS.id);
}

/** The form of an address, in the countries that WhatsApp has one for. */
export function checkAddress(path: string, value: unknown): void {
  const { name, parameters } = objectAt(path, value, ['name', 'parameters']);
  wordAt(`${path}.name`, name, ['address_message']);
  const at = `${path}.parameters`;
  const form = objectAt(at, parameters, ['country', 'values', 'saved_addresses', 'validation_errors']);
  const { country, values, saved_addresses: saved, validation_errors: errors } = form;
  if (!/^[A-Z]{2}$/.test(stringAt(`${at}.country`, country, 2))) {
    throw invalid(`${at}.country`, 'must be the two letters of a country, like IN');
  }
  if (values !== undefined) openObjectAt(`${at}.values`, values);
  if (errors !== undefined) openObjectAt(`${at}.validation_errors`, errors);
  if (saved !== undefined && !Array.isArray(saved)) throw invalid(`${at}.saved_addresses`, 'must be an array');
}

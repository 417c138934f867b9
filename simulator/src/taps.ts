import { BadInput } from './input.ts';
import { isList, isObject, type JsonObject } from './json.ts';
import type { Accepted } from './ledger.ts';
import type { Simulation } from './simulation.ts';
import { buttonsOf } from './templates/template.ts';

/** Something on a message that a customer can tap, and what he then sends. */
interface Control {
  title: string;
  type: 'interactive' | 'button' | 'location';
  payload: JsonObject;
}

/** How many messages are looked through for the one that is meant. */
const MOST = 200_000;

/** The newest message to a customer, or the one with this id. */
export function newestTo({ ledger }: Simulation, user: string, wamid?: string): Accepted | undefined {
  return ledger.newest((to, id) => (wamid === undefined ? sameUser(to, user) : id === wamid), MOST);
}

/**
 * What a customer sends who taps `title` (a button or a row of a list, capitals or not) on the newest message to him that has
 * it. Throws BadInput when none has.
 */
export function tapped(
  simulation: Simulation,
  wabaId: string,
  user: string,
  title: string,
  wamid: string | undefined,
): Control & { wamid: string } {
  let found: (Control & { wamid: string }) | undefined;
  simulation.ledger.newest((to, id, message) => {
    if (wamid === undefined ? !sameUser(to, user) : id !== wamid) return false;
    const accepted = message();
    const controls = accepted ? controlsOf(simulation, wabaId, accepted) : [];
    const control = controls.find((one) => one.title.toLowerCase() === title.toLowerCase());
    if (control) found = { ...control, wamid: id };
    return control !== undefined;
  }, MOST);
  if (!found) throw new BadInput('tap', `no message to ${user} has a button or a row "${title}"`);
  return found;
}

function sameUser(to: string, user: string): boolean {
  return to === user || (/^\+?[\d ().-]+$/.test(to) && to.replace(/\D/g, '') === user);
}

function controlsOf(simulation: Simulation, wabaId: string, { type, body }: Accepted): Control[] {
  const content = isObject(body) ? body[type] : undefined;
  if (!isObject(content)) return [];
  if (type === 'interactive') return interactiveControls(content);
  if (type !== 'template') return [];
  const code = isObject(content.language) ? content.language.code : undefined;
  const template = simulation.templates.find(wabaId, content.name, code);
  const given = isList(content.components) ? content.components.filter(isObject) : [];
  return buttonsOf(template?.components ?? []).flatMap((button, index): Control[] => {
    const text = String(button.text);
    const kind = String(button.type).toUpperCase();
    if (kind === 'FLOW') return [{ title: text, type: 'interactive', payload: flowReply({}) }];
    if (kind !== 'QUICK_REPLY') return [];
    const component = given.find((one) => String(one.type).toLowerCase() === 'button' && Number(one.index) === index);
    const [parameter] = isList(component?.parameters) ? component.parameters.filter(isObject) : [];
    return [{ title: text, type: 'button', payload: { payload: parameter?.payload ?? text, text } }];
  });
}

function interactiveControls(content: JsonObject): Control[] {
  const action = isObject(content.action) ? content.action : {};
  const parameters = isObject(action.parameters) ? action.parameters : {};
  switch (content.type) {
    case 'button':
      return objects(action.buttons).flatMap((button) => (isObject(button.reply) ? [buttonReply(button.reply)] : []));
    case 'list':
      return objects(action.sections).flatMap((section) => objects(section.rows).map(rowReply));
    case 'flow':
      return [{ title: String(parameters.flow_cta), type: 'interactive', payload: flowReply(parameters) }];
    case 'location_request_message':
      return [{ title: 'Send location', type: 'location', payload: { latitude: 37.4216, longitude: -122.0848 } }];
    default:
      return [];
  }
}

function buttonReply({ id, title }: JsonObject): Control {
  return {
    title: String(title),
    type: 'interactive',
    payload: { type: 'button_reply', button_reply: { id, title } },
  };
}

function rowReply({ id, title, description }: JsonObject): Control {
  const row = { id, title, ...(description === undefined ? {} : { description }) };
  return { title: String(title), type: 'interactive', payload: { type: 'list_reply', list_reply: row } };
}

function flowReply({ flow_token: token }: JsonObject): JsonObject {
  const response = JSON.stringify({ flow_token: token ?? 'unused' });
  return { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: response } };
}

function objects(value: unknown): JsonObject[] {
  return isList(value) ? value.filter(isObject) : [];
}

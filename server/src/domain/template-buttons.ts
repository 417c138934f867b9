import type { TemplateComponent } from './template-definition.ts';
import { invalid, isExample, missing, recordAt, textAt } from './template-flaws.ts';
import { BUTTON_LIMITS, TEMPLATE_LIMITS } from './template-limits.ts';
import { asList, asRecord, typeOf, variablesOf } from './template-shape.ts';

/** Rules for the buttons of a template. */

export function checkButtons(component: TemplateComponent, at: string, holder: string): void {
  const buttons = asList(component['buttons']).map(asRecord);
  if (buttons.length > TEMPLATE_LIMITS.buttons) {
    throw invalid(`${at}.buttons`, `must be at most ${TEMPLATE_LIMITS.buttons} buttons`, {
      limit: TEMPLATE_LIMITS.buttons,
    });
  }
  const counts = new Map<string, number>();
  buttons.forEach((button, i) => {
    const place = `${at}.buttons[${i}]`;
    const type = typeOf(button);
    const limit = BUTTON_LIMITS[type];
    if (limit === undefined) throw invalid(`${place}.type`, `must be one of ${Object.keys(BUTTON_LIMITS).join(', ')}`);
    if (type === 'OTP') throw invalid(`${place}.type`, 'must not be OTP: that is for category authentication');
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    if (count > limit) throw invalid(place, `is one too many: ${holder} may have ${limit} of type ${type}`, { limit });
    checkButton(button, type, place);
  });
  // Quick replies stand together, before the others or behind them.
  const kinds = buttons.map((button) => typeOf(button) === 'QUICK_REPLY');
  const changes = kinds.filter((kind, i) => i > 0 && kind !== kinds[i - 1]).length;
  if (changes > 1)
    throw invalid(`${at}.buttons`, 'must have all quick replies side by side, before or behind the others');
}

function checkButton(button: TemplateComponent, type: string, at: string): void {
  if (type === 'COPY_CODE') {
    const { example } = button;
    const code: unknown = Array.isArray(example) ? example[0] : example;
    if (!isExample(code)) throw missing(`${at}.example`, 'an example of the code');
    textAt({ example: code }, 'example', at, TEMPLATE_LIMITS.copyCode);
    return;
  }
  if (type === 'CATALOG' || type === 'MPM' || type === 'SPM') return;
  const text = textAt(button, 'text', at, TEMPLATE_LIMITS.buttonText);
  if (variablesOf(text).length > 0) throw invalid(`${at}.text`, 'must have no variables');
  if (type === 'URL') checkUrl(button, at);
  if (type === 'PHONE_NUMBER') {
    const phone = textAt(button, 'phone_number', at, TEMPLATE_LIMITS.phoneNumber);
    if (!/^\+?\d[\d ()-]*$/.test(phone)) throw invalid(`${at}.phone_number`, 'must be a phone number');
  }
  if (type === 'FLOW') {
    const named = ['flow_id', 'flow_name', 'flow_json'].filter((name) => button[name] !== undefined);
    if (named.length !== 1) throw invalid(at, 'must have one of flow_id, flow_name and flow_json');
  }
}

function checkUrl(button: TemplateComponent, at: string): void {
  const url = textAt(button, 'url', at, TEMPLATE_LIMITS.url);
  const place = `${at}.url`;
  if (!/^https?:\/\/[^\s/{]+/i.test(url))
    throw invalid(place, 'must be an http or https URL whose host has no variable');
  const variables = variablesOf(url);
  if (variables.length === 0) return;
  if (variables.length > 1 || !url.endsWith('{{1}}')) throw invalid(place, 'must have one variable, {{1}}, at its end');
  const { example } = button;
  if (!isExample(Array.isArray(example) ? example[0] : example))
    throw missing(`${at}.example`, 'an example of the whole URL');
}

const OTP_TYPES: readonly unknown[] = ['COPY_CODE', 'ONE_TAP', 'ZERO_TAP'];

export function checkOtp(button: TemplateComponent, at: string): void {
  if (typeOf(button) !== 'OTP') throw invalid(`${at}.type`, 'must be OTP');
  const { otp_type } = button;
  if (!OTP_TYPES.includes(otp_type)) throw invalid(`${at}.otp_type`, `must be one of ${OTP_TYPES.join(', ')}`);
  for (const name of ['text', 'autofill_text']) {
    if (button[name] !== undefined) textAt(button, name, at, TEMPLATE_LIMITS.buttonText);
  }
  if (otp_type === 'COPY_CODE') return;
  const { supported_apps: apps } = button;
  if (!Array.isArray(apps) || apps.length === 0 || apps.length > TEMPLATE_LIMITS.supportedApps) {
    throw invalid(
      `${at}.supported_apps`,
      `must be 1 to ${TEMPLATE_LIMITS.supportedApps} apps for ${String(otp_type)}`,
      {
        limit: TEMPLATE_LIMITS.supportedApps,
      },
    );
  }
  apps.forEach((one: unknown, i) => {
    const place = `${at}.supported_apps[${i}]`;
    const app = recordAt(one, place);
    textAt(app, 'package_name', place, TEMPLATE_LIMITS.packageName);
    if (textAt(app, 'signature_hash', place, TEMPLATE_LIMITS.signatureHash).length !== TEMPLATE_LIMITS.signatureHash) {
      throw invalid(`${place}.signature_hash`, `must have ${TEMPLATE_LIMITS.signatureHash} characters`, {
        limit: TEMPLATE_LIMITS.signatureHash,
      });
    }
  });
  if (otp_type === 'ZERO_TAP' && button['zero_tap_terms_accepted'] !== true) {
    throw invalid(`${at}.zero_tap_terms_accepted`, 'must be true for ZERO_TAP');
  }
}

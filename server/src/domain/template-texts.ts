import { isUuid } from './ids.ts';
import type { ParameterFormat, TemplateComponent } from './template-definition.ts';
import { invalid, isExample, missing, textAt } from './template-flaws.ts';
import { TEMPLATE_LIMITS } from './template-limits.ts';
import { asList, asRecord, formatOf, isVariableName, variablesOf } from './template-shape.ts';

/** Rules for the header, the body and the footer of a template, and for the variables in them. */
interface TextRules {
  parameter_format: ParameterFormat;
}

export function checkHeader(header: TemplateComponent, rules: TextRules, at: string, formats: readonly string[]): void {
  const format = formatOf(header);
  if (!formats.includes(format)) throw invalid(`${at}.format`, `must be one of ${formats.join(', ')}`);
  if (format === 'LOCATION' || format === 'PRODUCT') return;
  const example = asRecord(header['example']);
  if (format !== 'TEXT') {
    if (example['media_id'] !== undefined) {
      if (typeof example['media_id'] === 'string' && isUuid(example['media_id'])) return;
      throw invalid(`${at}.example.media_id`, 'must be the id of a stored file');
    }
    const [handle] = asList(example['header_handle']);
    if (typeof handle !== 'string' || handle === '') {
      throw missing(
        `${at}.example.header_handle`,
        `an example: the handle of an uploaded ${format.toLowerCase()}, or example.media_id: the id of a stored one`,
      );
    }
    return;
  }
  const text = textAt(header, 'text', at, TEMPLATE_LIMITS.header);
  if (/[\n\r\t]/.test(text)) throw invalid(`${at}.text`, 'must be one line');
  const variables = checkVariables(text, rules, `${at}.text`);
  if (variables.length > TEMPLATE_LIMITS.headerVariables) {
    throw invalid(`${at}.text`, 'must have at most 1 variable', { limit: TEMPLATE_LIMITS.headerVariables });
  }
  if (variables.length === 0) return;
  if (rules.parameter_format === 'NAMED')
    checkNamedExamples(example['header_text_named_params'], variables, `${at}.example.header_text_named_params`);
  else checkExamples(asList(example['header_text']), 1, `${at}.example.header_text`);
}

export function checkBody(body: TemplateComponent, rules: TextRules, at: string, limit: number): void {
  const text = textAt(body, 'text', at, limit);
  const place = `${at}.text`;
  const variables = checkVariables(text, rules, place);
  if (variables.length === 0) return;
  if (variables.length > TEMPLATE_LIMITS.variables) {
    throw invalid(place, `must have at most ${TEMPLATE_LIMITS.variables} variables`, {
      limit: TEMPLATE_LIMITS.variables,
    });
  }
  if (/^\s*\{\{|\}\}\s*$/.test(text)) throw invalid(place, 'must not begin or end with a variable');
  if (/\}\}\{\{/.test(text)) throw invalid(place, 'must have text between two variables');
  const example = asRecord(body['example']);
  if (rules.parameter_format === 'NAMED')
    checkNamedExamples(example['body_text_named_params'], variables, `${at}.example.body_text_named_params`);
  else checkExamples(asList(asList(example['body_text'])[0]), variables.length, `${at}.example.body_text[0]`);
}

/** Variables as the format writes them: numbers from 1 without a gap, or names. */
function checkVariables(text: string, { parameter_format }: TextRules, at: string): string[] {
  const variables = variablesOf(text);
  for (const [i, name] of variables.entries()) {
    if (!isVariableName(name, parameter_format)) {
      const form =
        parameter_format === 'NAMED' ? 'small letters, digits and _, as in {{first_name}}' : 'numbers, as in {{1}}';
      throw invalid(at, `has the variable {{${name}}}; with parameter_format ${parameter_format} they are ${form}`);
    }
    if (parameter_format === 'POSITIONAL' && name !== String(i + 1)) {
      throw invalid(at, `must count its variables from {{1}} without a gap; {{${i + 1}}} is missing`);
    }
  }
  // What looks like a variable and is none, WhatsApp refuses as badly formed.
  if (/\{\{|\}\}/.test(text.replace(/\{\{\s*[A-Za-z0-9_]+\s*\}\}/g, '')))
    throw invalid(at, 'has braces that are no variable');
  return variables;
}

function checkExamples(examples: readonly unknown[], count: number, at: string): void {
  if (examples.length !== count || !examples.every(isExample)) {
    throw missing(at, `${count === 1 ? 'an example' : `${count} examples`}, one for each variable`);
  }
}

function checkNamedExamples(examples: unknown, variables: readonly string[], at: string): void {
  const given = new Map(asList(examples).map((one) => [asRecord(one)['param_name'], asRecord(one)['example']]));
  for (const name of variables) {
    if (!isExample(given.get(name)))
      throw missing(at, `an example for {{${name}}}: {"param_name": "${name}", "example": …}`);
  }
}

export function checkFooter(footer: TemplateComponent, at: string): void {
  const text = textAt(footer, 'text', at, TEMPLATE_LIMITS.footer);
  if (variablesOf(text).length > 0) throw invalid(`${at}.text`, 'must have no variables');
}

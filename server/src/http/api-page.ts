import { createHash } from 'node:crypto';
import { PAGE_STYLE } from './api-page-style.ts';

/**
 * The API as a page for people, made of the OpenAPI document: one page without scripts, so that the browser's own search finds
 * everything, and nothing is loaded from anywhere.
 */
export interface ApiDocument {
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Operation {
  summary: string;
  description?: string;
  tags: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  security?: unknown[];
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

/** What the page shows of a JSON schema. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

/** What no schema tells: bodies that work as they stand. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/v1/messages': {
    to: '+6281234567890',
    content: { text: 'Hello, {name}!' },
    variables: { name: 'Ana' },
  },
  'POST /api/v1/messages/send': { to: '+6281234567890', content: { text: 'Your code is on its way.' } },
  'POST /api/v1/messages/batch': {
    messages: [
      { to: '+6281234567890', content: { text: 'Good morning' } },
      { to: '+6281234567891', template: { name: 'order_shipped', language: 'en' } },
    ],
  },
};

/** Deeper objects are shown by their type only. */
const DEEPEST = 4;

/** The page, and the policy it is to be sent with: its own style, and nothing else. */
export function apiPage(document: ApiDocument): { html: string; policy: string } {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const byTag = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? 'other');
  const objects = Object.entries(document.components.schemas);
  const { title, version, description } = document.info;
  const nav = [...byTag].map(
    ([tag, list]) =>
      `<h2>${escape(tag)}</h2><ul>${list.map(({ path, method }) => `<li>${link(method, path)}</li>`).join('')}</ul>`,
  );
  const sections = [...byTag].map(
    ([tag, list]) => `<h2>${escape(tag)}</h2>${list.map((each) => article(each)).join('')}`,
  );
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)} API</title><style>${PAGE_STYLE}</style></head>
<body><nav><a class="top" href="#top">${escape(title)} API ${escape(version)}</a>${nav.join('')}<h2>objects</h2><ul>
${objects.map(([name]) => `<li><a href="#${name}">${name}</a></li>`).join('')}</ul></nav>
<main id="top"><h1>${escape(title)} API ${escape(version)}</h1><p>${prose(description)}</p>
<p>The key travels as <code>Authorization: Bearer KEY</code> or <code>X-API-Key: KEY</code>. Times are UTC in ISO 8601 with
milliseconds; a field that is not known is refused. In the examples <code>$ALDIS_URL</code> and <code>$ALDIS_API_KEY</code> are the server
and the key. For programs: <a href="docs/openapi.json">openapi.json</a>.</p>
${sections.join('')}<h2>objects</h2>
${objects.map(([name, schema]) => `<article id="${name}"><h3>${name}</h3>${fields(schema)}</article>`).join('')}
</main></body></html>
`;
  const hash = createHash('sha256').update(PAGE_STYLE).digest('base64');
  return { html, policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'` };
}

interface Listed {
  path: string;
  method: string;
  operation: Operation;
}

function article({ path, method, operation }: Listed): string {
  const { summary, description, parameters = [], requestBody, responses, security } = operation;
  const body = requestBody?.content['application/json']?.schema;
  const key = security || path.startsWith('/processor/') ? '' : ' <small>no key</small>';
  return `<article id="${anchor(method, path)}"><h3>${badge(method)} <code>${escape(path)}</code></h3>
<p><b>${escape(summary)}</b>${key}</p>${description === undefined ? '' : `<p>${prose(description)}</p>`}
${parameters.length > 0 ? `<h4>Parameters</h4>${table(parameters.map(parameterRow))}` : ''}
${body ? `<h4>Body</h4>${fields(body)}` : ''}
<h4>Example</h4><pre>${escape(curl(method, path, parameters, body))}</pre>
<h4>Answers</h4>${table(Object.entries(responses).map(answerRow))}</article>`;
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): string[] {
  const needed = required ? ' <em>required</em>' : '';
  return [
    `<code>${escape(name)}</code>${needed}<br><small>${escape(place)}</small>`,
    typeOf(schema),
    limits({ ...schema, description: description ?? schema.description ?? '' }),
  ];
}

function answerRow([status, { description, content = {} }]: [string, Operation['responses'][string]]): string[] {
  const [[kind, { schema } = { schema: {} as Schema }] = ['', undefined]] = Object.entries(content);
  const named = description === 'Default Response' ? '' : prose(description);
  const shape = schema.$ref !== undefined || kind === '' ? '' : fields(schema);
  return [`<code>${escape(status)}</code>`, kind === '' ? '' : typeOf(schema), `${named}${shape}`];
}

/** The fields of an object as a table, those of objects in it behind a dot. Of a choice each way. */
function fields(schema: Schema): string {
  const ways = schema.anyOf ?? schema.oneOf;
  if (ways?.some((way) => way.properties ?? way.$ref)) return ways.map(fields).join('<p>or</p>');
  if (schema.$ref !== undefined) return `<p>${typeOf(schema)}</p>`;
  const rows = fieldRows(schema, '', 1);
  return rows.length > 0 ? table(rows) : `<p>${typeOf(schema)} ${limits(schema)}</p>`;
}

function fieldRows(schema: Schema, above: string, depth: number): string[][] {
  const inner = schema.items?.properties ? schema.items : schema;
  const prefix = inner === schema ? above : `${above.replace(/\.$/, '')}[].`;
  const parts = [inner, ...(inner.allOf ?? [])];
  return parts.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([name, field]) => {
      const needed = required.includes(name) ? ' <em>required</em>' : '';
      const row = [`<code>${escape(prefix + name)}</code>${needed}`, typeOf(field), limits(field)];
      return depth < DEEPEST ? [row, ...fieldRows(field, `${prefix}${name}.`, depth + 1)] : [row];
    }),
  );
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `<a href="#${escape(name)}">${escape(name)}</a>`;
  }
  const ways = schema.anyOf ?? schema.oneOf;
  if (ways) return [...new Set(ways.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return `<code>${escape(JSON.stringify(schema.const))}</code>`;
  if (schema.enum) return schema.enum.map((word) => `<code>${escape(String(word))}</code>`).join(' ');
  if (schema.items) return `array of ${typeOf(schema.items)}`;
  const types = schema.type === undefined ? 'any' : [schema.type].flat().join(' or ');
  return escape(schema.format === undefined ? types : `${types}, ${schema.format}`);
}

function limits(schema: Schema): string {
  const { description = '', minimum, maximum, maxLength, maxItems, examples } = schema;
  const facts = [
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : '',
    minimum !== undefined && maximum === undefined ? `at least ${minimum}` : '',
    minimum === undefined && maximum !== undefined ? `at most ${maximum}` : '',
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    maxItems === undefined ? '' : `at most ${maxItems} items`,
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
    examples?.[0] === undefined ? '' : `such as ${JSON.stringify(examples[0])}`,
  ].filter((fact) => fact !== '');
  return `${prose(description)}${facts.length > 0 ? ` <small>${escape(facts.join(', '))}</small>` : ''}`;
}

function curl(method: string, path: string, parameters: readonly Parameter[], body: Schema | undefined): string {
  const query = parameters.filter((each) => each.in === 'query' && each.required).map(({ name }) => `${name}=…`);
  const address = `$ALDIS_URL${path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}`;
  const lines = [
    `curl -s ${method === 'GET' ? '' : `-X ${method} `}"${address}${query.length > 0 ? `?${query.join('&')}` : ''}"`,
    '-H "Authorization: Bearer $ALDIS_API_KEY"',
  ];
  const example = BODIES[`${method} ${path}`] ?? (body ? exampleOf(body) : undefined);
  if (example !== undefined) {
    if (method === 'POST') lines.push(`-H "Idempotency-Key: $(uuidgen)"`);
    lines.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(example, null, 2)}'`);
  }
  return lines.join(' \\\n  ');
}

/** What has to be there, and what the schema has an example of. */
function exampleOf(schema: Schema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  const way = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (way) return exampleOf(way);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const { properties = {}, required = [] } = schema;
  const type = [schema.type].flat()[0];
  if (type === 'array') return schema.items ? [exampleOf(schema.items)] : [];
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  if (type === 'string') return schema.format === 'date-time' ? '2026-12-01T09:00:00.000Z' : '…';
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name, field]) => required.includes(name) || field.examples)
      .map(([name, field]) => [name, exampleOf(field)]),
  );
}

function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table>${cells.join('\n')}</table>`;
}

function link(method: string, path: string): string {
  return `<a href="#${anchor(method, path)}">${badge(method)} ${escape(path.replace('/api/v1', ''))}</a>`;
}

function anchor(method: string, path: string): string {
  return escape(`${method.toLowerCase()}${path.replace(/[{}]/g, '').replace(/[^\w-]+/g, '-')}`);
}

function badge(method: string): string {
  return `<span class="method ${escape(method.toLowerCase())}">${escape(method)}</span>`;
}

/** Text with what stands between backticks as code. */
function prose(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

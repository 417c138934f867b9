import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Customer, type DoorWorld, doorWorld } from './door-world.ts';

let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const DOCUMENT = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
const unescaped = (html: string) => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

async function page(): Promise<{ html: string; headers: Headers }> {
  const answer = await fetch(`${world.url}/docs`);
  assert.equal(answer.status, 200);
  return { html: await answer.text(), headers: answer.headers };
}

test('the page has every request with its fields, and every link in it leads somewhere', async () => {
  const { html } = await page();
  const { paths, components } = JSON.parse(DOCUMENT) as {
    paths: Record<string, Record<string, { summary: string; parameters?: { name: string }[] }>>;
    components: { schemas: object };
  };
  const text = unescaped(html);
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { summary, parameters = [] }] of Object.entries(methods)) {
      assert.ok(
        text.includes(`<span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code>`),
        path,
      );
      assert.ok(text.includes(`<b>${summary}</b>`), summary);
      for (const { name } of parameters) assert.ok(text.includes(`<code>${name}</code>`), name);
    }
  }
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const name of Object.keys(components.schemas)) assert.ok(ids.includes(name), name);
  for (const [, target = ''] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target);
});

test('the page needs no key and loads nothing', async () => {
  const { html, headers } = await page();
  assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8/);
  const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  assert.equal(
    headers.get('content-security-policy'),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
  );
  assert.doesNotMatch(html, /<script|<img|<link|src=|@import|url\(|style="/);
});

test('the examples of the page work as they stand', async () => {
  const { html } = await page();
  const text = unescaped(html);
  for (const path of ['/api/v1/messages', '/api/v1/messages/batch']) {
    const [, body = ''] = new RegExp(`curl -s -X POST "\\$ALDIS_URL${path}" .*?-d '(.*?)'</pre>`, 's').exec(text) ?? [];
    const answer = await customer.post(path, JSON.parse(body));
    assert.equal(answer.status, 202, path);
  }
});

test('the document is given to programs as it is in the project', async () => {
  const answer = await fetch(`${world.url}/docs/openapi.json`);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(await answer.text(), DOCUMENT);
});

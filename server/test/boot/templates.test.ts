import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../until.ts';
import { type Credentials, credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

/** The server beside its simulator, whose templates are read. */
interface Templated extends Credentials {
  ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** The simulator's own routes. */
  simulate<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** What WhatsApp decides about a template. */
  decide(name: string, what: object): Promise<unknown>;
  status(name: string): Promise<string | undefined>;
}

interface Listed {
  templates: { name: string; status: string; components: { text?: string }[] }[];
}
interface Sent {
  messages: { id: string; state: string; error: { code: number; title: string; detail: string | null } | null }[];
}

async function templated(t: TestContext): Promise<Templated> {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, await suiteDatabase(t));
  await program.ready;
  const known = credentials(folder);
  const call = async <T>(url: string, method: string, body: unknown): Promise<T> => {
    const answer = await fetch(url, {
      method,
      headers: { 'x-api-key': known.api_key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const world: Templated = {
    ...known,
    ask: (method, path, body) => call(`${known.url}${path}`, method, body),
    simulate: (method, path, body) => call(`${known.simulator_url}/_simulator/${path}`, method, body),
    decide: (name, what) => world.simulate('POST', 'templates', { name, ...what }),
    async status(name) {
      const { templates } = await world.ask<Listed>('GET', `/api/v1/templates?name=${name}`);
      return templates[0]?.status;
    },
  };
  await until('the templates are read', async () => (await world.status('hello_world')) === 'APPROVED');
  return world;
}

const accepted = async ({ simulate }: Templated) => (await simulate<{ accepted: number }>('GET', 'stats')).accepted;

test('templates, from the program to WhatsApp and back', { timeout: 60_000 }, async (t) => {
  const world = await templated(t);
  await t.test(
    'a template that is paused in the middle of a batch holds the rest; all arrive when it is sent again, each once',
    async () => {
      const template = { name: 'hello_world', language: 'en_US' };
      const messages = Array.from({ length: 200 }, (_, i) => ({
        to: `+62813${String(i).padStart(8, '0')}`,
        template,
      }));
      const batch = await world.ask<{ batch_id: string; accepted: number }>('POST', '/api/v1/messages/batch', {
        messages,
      });
      assert.equal(batch.accepted, 200);
      await until('some have left', async () => (await accepted(world)) >= 20);
      await world.decide('hello_world', { event: 'PAUSED' });
      await until('the pause is known', async () => (await world.status('hello_world')) === 'PAUSED');
      // Counted at most every five seconds.
      const held = async () => {
        const answer = await fetch(`${world.url}/metrics`, { headers: { 'x-api-key': world.api_key } });
        const text = await answer.text();
        return Number(/^aldis_queue_depth\{[^}]*state="held"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
      };
      let waiting = 0;
      await until(
        'the rest waits',
        async () => {
          waiting = await held();
          return waiting > 0 && waiting + (await accepted(world)) === 200;
        },
        20_000,
      );
      const states = await world.ask<Sent>('GET', `/api/v1/messages?batch_id=${batch.batch_id}&limit=100`);
      assert.ok(states.messages.every(({ state }) => state !== 'failed'));
      // What comes meanwhile waits too.
      const late = await world.ask<{ id: string }>('POST', '/api/v1/messages', { to: '+6281299999999', template });
      assert.equal((await world.ask<{ state: string }>('GET', `/api/v1/messages/${late.id}`)).state, 'queued');

      await world.decide('hello_world', { event: 'REINSTATED' });
      await until('all have left', async () => (await accepted(world)) === 201, 20_000);
      const { messages: left } = await world.simulate<{ messages: { to: string }[] }>('GET', 'messages?limit=1000');
      assert.deepEqual(left.map(({ to }) => to).sort(), [...messages.map(({ to }) => to), '+6281299999999'].sort());
    },
  );

  await t.test(
    'a template that is edited between accept and send: the message fails with WhatsApp’s code, and says so',
    async () => {
      await world.ask('POST', '/processor/stop');
      const text = (value: string) => ({ type: 'text', text: value });
      const template = {
        name: 'order_update',
        language: 'en_US',
        components: [{ type: 'body', parameters: [text('Ana'), text('A-1'), text('sent')] }],
      };
      const { id } = await world.ask<{ id: string }>('POST', '/api/v1/messages', { to: '+6281388888888', template });
      const body = {
        type: 'BODY',
        text: 'Hi {{1}}, order {{2}} is on its way.',
        example: { body_text: [['Ana', 'A-1']] },
      };
      await world.decide('order_update', { components: [body] });
      await world.ask('POST', '/processor/start');
      const read = () => world.ask<Sent['messages'][number]>('GET', `/api/v1/messages/${id}`);
      await until('it has failed', async () => (await read()).state === 'failed');
      const { error } = await read();
      assert.equal(error?.code, 132000);
      assert.match(`${error?.title} ${error?.detail}`, /param/);
      // The new form is read by then, or soon; and the next one is held against it.
      await until('the edit is known', async () => {
        const { templates } = await world.ask<Listed>('GET', '/api/v1/templates?name=order_update');
        return templates[0]?.components[0]?.text === body.text;
      });
      const send = () =>
        fetch(`${world.url}/api/v1/messages`, {
          method: 'POST',
          headers: { 'x-api-key': world.api_key, 'content-type': 'application/json' },
          body: JSON.stringify({ to: '+6281388888888', template }),
        });
      let field: string | undefined;
      // What was read of it a moment ago may still be believed.
      await until('the next one is refused', async () => {
        const answer = await send();
        if (answer.status === 400) field = ((await answer.json()) as { details: { field: string } }).details.field;
        return field !== undefined;
      });
      assert.equal(field, 'template.components[0].parameters');
    },
  );

  await t.test('a file that is stored here is the sample of a header', async () => {
    const form = new FormData();
    // One pixel.
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    form.append('file', new Blob([Buffer.from(png, 'base64')], { type: 'image/png' }), 'offer.png');
    const stored = await fetch(`${world.url}/api/v1/media`, {
      method: 'POST',
      headers: { 'x-api-key': world.api_key },
      body: form,
    });
    const { id } = (await stored.json()) as { id: string };
    const header = { type: 'HEADER', format: 'IMAGE', example: { media_id: id } };
    const card = { components: [header, { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'More' }] }] };
    const body = { type: 'BODY', text: 'Look at this.' };
    for (const [name, components] of Object.entries({
      pictured: [header, body],
      cards: [body, { type: 'CAROUSEL', cards: [card, card] }],
    })) {
      const made = await world.ask<{ status: string }>('POST', '/api/v1/templates', {
        name,
        language: 'en',
        category: 'marketing',
        components,
      });
      assert.equal(made.status, 'PENDING');
      await until('it is approved', async () => (await world.status(name)) === 'APPROVED');
    }
  });

  await t.test('a template goes its way from creation to deletion', async () => {
    const body = { type: 'BODY', text: 'Hi {{1}}, welcome back.', example: { body_text: [['Ana']] } };
    const made = await world.ask<{ id: string; status: string }>('POST', '/api/v1/templates', {
      name: 'welcome_back',
      language: 'en',
      category: 'marketing',
      components: [body],
    });
    assert.equal(made.status, 'PENDING');
    await until('it is approved', async () => (await world.status('welcome_back')) === 'APPROVED');
    const template = {
      name: 'welcome_back',
      language: 'en',
      components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
    };
    const sent = await world.ask<{ id: string }>('POST', '/api/v1/messages', { to: '+6281377777777', template });
    const message = async () => world.ask<{ state: string; category?: string }>('GET', `/api/v1/messages/${sent.id}`);
    await until('it is sent', async () => !['queued', 'sending'].includes((await message()).state));
    await world.ask('DELETE', `/api/v1/templates/${made.id}`);
    assert.equal(await world.status('welcome_back'), undefined);
  });
});

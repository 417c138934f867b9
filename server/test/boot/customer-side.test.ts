import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { credentials, dataFolder, startProgram, suiteDatabase } from './program.ts';

interface Shown {
  id: string;
  type: string;
  whatsapp_message_id: string;
  contact_id: string;
  conversation_id: string;
  content: Record<string, unknown> & { media?: { state: string } };
  reactions: { emoji: string }[];
  edited_at: string | null;
  deleted_at: string | null;
}

test('what a customer does on WhatsApp, of every type, comes in by the webhook and is shown', async (t) => {
  const folder = dataFolder(t);
  const program = startProgram(t, folder, await suiteDatabase(t));
  const url = await program.ready;
  const { api_key, simulator_url, phone_number_id } = credentials(folder);
  const from = '+16505551234';

  async function say(what: object): Promise<string> {
    const body = JSON.stringify({ from, ...what });
    const response = await fetch(`${simulator_url}/_simulator/inbound`, { method: 'POST', body });
    const answer = (await response.json()) as { wamid?: string };
    assert.ok(response.ok, JSON.stringify(answer));
    return answer.wamid ?? '';
  }

  async function list(): Promise<Shown[]> {
    const headers = { 'x-api-key': api_key };
    const response = await fetch(`${url}/api/v1/messages?direction=inbound&limit=100`, { headers });
    return ((await response.json()) as { messages: Shown[] }).messages;
  }

  /** The messages with these ids of the provider's, in this order, once they are there. */
  async function shown(...wamids: string[]): Promise<Shown[]> {
    let found: Shown[] = [];
    await until('they are shown', async () => {
      const all = await list();
      found = wamids.flatMap((wamid) => all.find((one) => one.whatsapp_message_id === wamid) ?? []);
      return found.length === wamids.length;
    });
    return found;
  }

  const first = await say({ text: 'Good evening', name: 'Ana', user_id: 'US.13491208655302741918' });
  const types = ['image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'order', 'unsupported'];
  const wamids: string[] = [];
  for (const type of types) wamids.push(await say({ type }));
  const messages = await shown(first, ...wamids);
  assert.deepEqual(
    messages.map((one) => one.type),
    ['text', ...types],
  );
  assert.equal(new Set(messages.map((one) => one.conversation_id)).size, 1);
  await until('the files are there', async () => {
    const files = (await list()).filter((one) => one.content.media);
    return files.length === 5 && files.every((one) => one.content.media?.state === 'stored');
  });

  const reaction = await say({ type: 'reaction', payload: { message_id: first, emoji: '👍' } });
  const edit = await say({
    type: 'edit',
    payload: { original_message_id: first, message: { type: 'text', text: { body: 'Hi' } } },
  });
  const revoke = await say({ type: 'revoke', payload: { original_message_id: first } });
  const [said, ...acts] = await shown(first, reaction, edit, revoke);
  assert.deepEqual(
    acts.map((one) => one.type),
    ['reaction', 'edit', 'revoke'],
  );
  assert.deepEqual(
    [said?.content, said?.reactions[0]?.emoji, said?.edited_at !== null, said?.deleted_at !== null],
    [{ text: 'Hi', original_text: 'Good evening' }, '👍', true, true],
  );

  // Webhooks come in any order: what he writes before the change is known would be a stranger's.
  const payload = { type: 'user_changed_number', wa_id: '12195555358', body: 'changed' };
  await shown(await say({ type: 'system', payload }));
  const [later] = await shown(await say({ from: '+12195555358', text: 'My new number' }));
  assert.equal(later?.contact_id, said?.contact_id);

  // A new user id is told by a webhook that is no message as well.
  const user_id = { previous: 'US.13491208655302741918', current: 'US.24817305912873645029' };
  const timestamp = String(Math.floor(Date.now() / 1000));
  const value = { metadata: { phone_number_id }, user_id_update: [{ user_id, timestamp }] };
  const body = JSON.stringify({ field: 'user_id_update', value });
  assert.ok((await fetch(`${simulator_url}/_simulator/raw_webhook`, { method: 'POST', body })).ok);
  await until('he has the new id', async () => {
    const found = await fetch(`${url}/api/v1/contacts/${said?.contact_id}`, { headers: { 'x-api-key': api_key } });
    return ((await found.json()) as { user_id: string }).user_id === user_id.current;
  });
  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
});

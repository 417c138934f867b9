import type { Credentials } from '../runtime/data-folder.ts';
import type { Config } from '../runtime/settings.ts';

/**
 * What a new user reads on standard output: the address, the key, a message that is sent as pasted and what came of it, two users who
 * talk and one who listens. The last line is for scripts.
 */
export function greet(credentials: Credentials, config: Config): void {
  const { url } = credentials;
  const lines = config.environment === 'production' ? [] : introduction(credentials, config);
  process.stdout.write(`${[...lines, `aldis ready ${url}`].join('\n')}\n`);
}

function introduction({ url, api_key, simulator_url }: Credentials, config: Config): string[] {
  const key = `-H 'Authorization: Bearer ${api_key}'`;
  const json = `-H 'Content-Type: application/json'`;
  const socket = `'${url.replace(/^http/, 'ws')}/ws', { headers: { 'X-API-Key': '${api_key}', 'X-User-ID': 'ben' } }`;
  return [
    '',
    `  Aldis is running at ${url}`,
    `  Key        ${api_key}`,
    `  WhatsApp   ${simulator_url ? `simulated at ${simulator_url}: no real message leaves` : config.whatsapp.api_url}`,
    `  Data       ${config.data_dir}`,
    `  API        ${url}/docs`,
    '',
    '  Send a message:',
    '',
    `    curl -s ${url}/api/v1/messages ${key} \\`,
    `      ${json} \\`,
    `      -d '{"recipient_phone": "+6281234567890", "content": {"text": "Hello, {name}!"}, "variables": {"name": "Ana"}}'`,
    '',
    '  See it delivered:',
    '',
    `    curl -s '${url}/api/v1/messages?limit=1' ${key}`,
    '',
    '  Let Ana and Ben talk. Ben listens, in a terminal of his own, in this folder:',
    '',
    `    node -e "new (require('ws'))(${socket}).on('message', (frame) => console.log(String(frame)))"`,
    '',
    '  Ana begins a conversation, and says something in it:',
    '',
    `    curl -s ${url}/api/v1/conversations ${key} -H 'X-User-ID: ana' \\`,
    `      ${json} -d '{"type": "direct", "participants": [{"user_id": "ben"}], "external_id": "ana and ben"}'`,
    `    curl -s ${url}/api/v1/messages ${key} -H 'X-User-ID: ana' \\`,
    `      ${json} -d '{"conversation_id": "ana and ben", "content": "Hello, Ben!"}'`,
    '',
  ];
}

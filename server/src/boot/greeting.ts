import type { Credentials } from '../runtime/data-folder.ts';
import type { Config } from '../runtime/settings.ts';

/**
 * What a new user reads on standard output: the address, the key, a request that works as pasted and one that shows what
 * came of it. The last line is for scripts.
 */
export function greet(credentials: Credentials, config: Config): void {
  const { url, api_key, simulator_url } = credentials;
  const lines =
    config.environment === 'production'
      ? []
      : [
          '',
          `  Aldis is running at ${url}`,
          `  Key        ${api_key}`,
          `  WhatsApp   ${simulator_url ? `simulated at ${simulator_url}: no real message leaves` : config.whatsapp.api_url}`,
          `  Data       ${config.data_dir}`,
          `  API        ${url}/docs`,
          '',
          '  Send a message:',
          '',
          `    curl -s -X POST ${url}/api/v1/messages -H 'Authorization: Bearer ${api_key}' \\`,
          `      -H 'Content-Type: application/json' \\`,
          `      -d '{"recipient_phone": "+6281234567890", "content": {"text": "Hello, {name}!"}, "variables": {"name": "Ana"}}'`,
          '',
          '  See it delivered:',
          '',
          `    curl -s '${url}/api/v1/messages?limit=1' -H 'Authorization: Bearer ${api_key}'`,
          '',
        ];
  process.stdout.write(`${[...lines, `aldis ready ${url}`].join('\n')}\n`);
}

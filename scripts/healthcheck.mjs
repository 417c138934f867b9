// Ends with 0 while the server in this container lives, by GET /health at the address that it wrote down when it started.
// A database that is away does not make a container unhealthy: starting it again would not help. Plain JavaScript.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { join } from 'node:path';

/** Milliseconds. Less than the time-out of HEALTHCHECK. */
const TIMEOUT = 4000;

function end(code, text) {
  console.log(text);
  process.exit(code);
}

const credentials = join(process.env.ALDIS_DATA_DIR ?? '.aldis', 'credentials.json');
try {
  const url = new URL('/health', JSON.parse(readFileSync(credentials, 'utf8')).url);
  // It asks itself by a loopback address, which no certificate names.
  const ask = url.protocol === 'https:' ? requestSecurely : request;
  ask(url, { rejectUnauthorized: false, timeout: TIMEOUT }, (answer) => {
    end(answer.statusCode === 200 ? 0 : 1, `${url} answers ${answer.statusCode}`);
  })
    .on('timeout', () => end(1, `${url} does not answer`))
    .on('error', (error) => end(1, error.message))
    .end();
} catch (error) {
  end(1, `not started yet: ${error.message}`);
}

import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Pool } from 'undici';

/**
 * The least that posting signed events takes: undici over so many connections, the same body each time, signed each time.
 * `node poster.ts URL POSTS CONNECTIONS BODY` prints `posted CPU_MS` when all are answered.
 */
const [url = '', posts = '', connections = '', body = ''] = process.argv.slice(2);
const pool = new Pool(url, { connections: Number(connections), pipelining: 1 });
const key = randomBytes(32);
let left = Number(posts);

async function postInTurn(): Promise<void> {
  while (left-- > 0) {
    const id = randomUUID();
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Aldis',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    };
    const answer = await pool.request({ method: 'POST', path: '/hook', headers, body });
    await answer.body.dump();
    if (answer.statusCode !== 204) throw new Error(`the sink answered ${answer.statusCode}`);
  }
}

const before = process.cpuUsage();
await Promise.all(Array.from({ length: Number(connections) }, postInTurn));
const { user, system } = process.cpuUsage(before);
console.log(`posted ${(user + system) / 1000}`);
await pool.close();

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A customer's endpoint that takes everything, and remembers which events came and what the last of them was.
 * `GET /count` tells how many posts came, of how many different ids, when the first came and how much later the last (milliseconds since
 * 1970), and the first body;
 * `DELETE /count` begins anew. Prints `sink ready http://127.0.0.1:PORT`.
 */
let ids = new Set<string>();
let posts = 0;
let [first, last] = [0, 0];
let body = '';

const server = createServer((asked, answer) => {
  if (asked.method === 'POST') {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => {
      last = performance.now();
      if (posts++ === 0) {
        first = last;
        body = Buffer.concat(chunks).toString();
      }
      ids.add(String(asked.headers['webhook-id']));
      answer.writeHead(204).end();
    });
    return;
  }
  if (asked.method === 'DELETE') {
    ids = new Set();
    posts = 0;
  }
  answer.setHeader('content-type', 'application/json');
  answer.end(JSON.stringify({ posts, distinct: ids.size, at: performance.timeOrigin + first, ms: last - first, body }));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`sink ready http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on('SIGTERM', () => process.exit(0));

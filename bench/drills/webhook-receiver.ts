import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * A customer's own server, to be killed: it writes the id of each event into a file, and answers then. What was written stays when the
 * process dies. `node webhook-receiver.ts PORT FILE` prints `receiver ready`.
 */
const [port = '', file = ''] = process.argv.slice(2);
const log = openSync(file, 'a');

createServer((asked, answer) => {
  asked.resume().on('end', () => {
    writeSync(log, `${asked.headers['webhook-id']}\n`);
    answer.writeHead(204).end();
  });
}).listen(Number(port), '127.0.0.1', () => console.log('receiver ready'));

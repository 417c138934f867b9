import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/*
 * `ws` alone: takes sockets and answers pings of the protocol, and nothing else. What a connection costs at least.
 */

const server = createServer((_, answer) => answer.end('ws alone\n'));
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => socket.on('error', () => {}));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('no port was given');
console.log(`sockets ready http://127.0.0.1:${address.port}`);

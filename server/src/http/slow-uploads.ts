import type { Socket } from 'node:net';
import type { onRequestHookHandler } from 'fastify';

/** Connections on which a request may take longer to arrive than others may. */
const patient = new WeakSet<Socket>();

/** Whether the request on a connection keeps a time of its own. */
export function mayTakeLonger(socket: Socket): boolean {
  return patient.has(socket);
}

/**
 * Lets the requests of a route take another time to arrive whole: a large file comes slowly over a thin line. To be run after
 * the guard, so that nobody without a key is given it.
 * @param milliseconds after which the connection is cut.
 */
export function takingAtMost(milliseconds: number): onRequestHookHandler {
  return (request, reply, done) => {
    const { socket } = request.raw;
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    patient.add(socket);
    const over = () => {
      clearTimeout(timer);
      patient.delete(socket);
    };
    request.raw.once('end', over);
    reply.raw.once('close', over);
    done();
  };
}

import { type Log, logToStderr } from './log.ts';
import { newServer } from './server.ts';
import { defaultSettings, type Settings } from './settings.ts';
import { type Bounds, newSimulation } from './simulation.ts';

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** 0, the default, is any free port. */
  port?: number;
  settings?: Partial<Settings>;
  bounds?: Partial<Bounds>;
  /** With any, only these access tokens are good. */
  tokens?: readonly string[];
  log?: Log;
}

export interface Simulator {
  url: string;
  port: number;
  /** Stops at once: connections are destroyed, what waits is forgotten. May be called twice. */
  close(): Promise<void>;
}

export const DEFAULT_BOUNDS: Readonly<Bounds> = {
  messages: 2_000_000,
  body_bytes: 256_000_000,
  webhook_bytes: 128_000_000,
  media_bytes: 256_000_000,
};

/** Starts a WhatsApp Cloud API. Rejects with the error of `listen` when it cannot, such as EADDRINUSE. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', port = 0, tokens = [], log = logToStderr } = options;
  const settings = { ...defaultSettings(), ...options.settings };
  const simulation = newSimulation(settings, { ...DEFAULT_BOUNDS, ...options.bounds }, tokens, log);
  const { server, clear } = newServer(simulation, log);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    clear();
    simulation.statuses.clear();
    simulation.announcements.clear();
    simulation.clock.clear();
    await Promise.all([closed, simulation.queue.close()]);
  };
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${address.port}`,
    port: address.port,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

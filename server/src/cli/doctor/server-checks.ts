import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { askJson } from '../../net/json-client.ts';
import type { Config } from '../../runtime/settings.ts';
import { isObject } from '../answers.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

/** Milliseconds for one question to the server, here or by its public address. */
const TIMEOUT = 5_000;
/** What names a certificate in an error. That of a server is for its public name, and not for the loopback address. */
const BAD_CERTIFICATE = /certificate|CERT_|SELF_SIGNED/i;

/** What the last start wrote down, as far as it is needed here. */
export interface LastStart {
  url: string | null;
  verifyToken: string | null;
  simulatorUrl: string | null;
}

/** Reads credentials.json; what is not there is null. */
export function readLastStart(folder: string): LastStart {
  let value: unknown = null;
  try {
    value = JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8'));
  } catch {
    // Not started here yet, or not readable: the folder's own check tells.
  }
  const text = (name: string) => (isObject(value) && typeof value[name] === 'string' ? value[name] : null);
  return { url: text('url'), verifyToken: text('whatsapp_verify_token'), simulatorUrl: text('simulator_url') };
}

/** Whether the server runs and is ready; when it does not run, whether its port is free. */
export async function checkServer(config: Config, last: LastStart): Promise<{ running: boolean; findings: Finding[] }> {
  const answer = last.url === null ? null : await ask(new URL('/ready', last.url));
  if (answer !== null && typeof answer !== 'string' && isObject(answer.body) && isObject(answer.body.checks)) {
    return { running: true, findings: readiness(last.url, answer.status === 200, answer.body.checks) };
  }
  if (typeof answer === 'string' && BAD_CERTIFICATE.test(answer)) {
    const message = `running at ${last.url}; whether it is ready cannot be asked there (${answer})`;
    return { running: true, findings: [ok('server', message)] };
  }
  return { running: false, findings: [await checkPort(config.server.host, config.server.port)] };
}

/** What the server's parts say. It may be ready without one of them, such as Redis. */
function readiness(url: string | null, ready: boolean, checks: object): Finding[] {
  const wrong = Object.entries(checks).filter(([, state]) => state !== 'ok');
  if (wrong.length === 0) return [ok('server', `running at ${url}, and ready`)];
  return wrong.map(([part, state]) =>
    ready
      ? warn('server', `running and ready, without ${part}: ${String(state)}`, `it works meanwhile; see to ${part}`)
      : fail('server', `running, not ready: ${part}: ${String(state)}`, 'see its log'),
  );
}

async function checkPort(host: string, port: number): Promise<Finding> {
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
  if (error === null) return ok('server', `not running; port ${port} of ${host} is free`);
  const advice =
    error.code === 'EADDRINUSE'
      ? 'stop what uses the port, or set ALDIS_SERVER_PORT'
      : 'set ALDIS_SERVER_HOST and ALDIS_SERVER_PORT to what this machine and user have';
  return fail('server', `not running, and port ${port} of ${host} cannot be had: ${reasonOf(error)}`, advice);
}

/** Asks as Meta does whether the webhook address is ours, by the public address, and looks whether the answer came from here. */
export async function checkWebhook(config: Config, last: LastStart, running: boolean): Promise<Finding> {
  const name = 'webhook address';
  const { public_url } = config.server;
  if (public_url === null) {
    if (config.environment !== 'production') return ok(name, 'none is named; the simulator needs none');
    return warn(
      name,
      'server.public_url is not set',
      'set ALDIS_SERVER_PUBLIC_URL to the https address under which Meta reaches this server',
    );
  }
  if (config.environment === 'production' && !public_url.startsWith('https:')) {
    return fail(
      name,
      `${public_url} is not https, and Meta calls no other`,
      'let a proxy end TLS, or set server.tls.*',
    );
  }
  if (!running) return warn(name, `${public_url} was not tried: the server is not running`, 'start it, then ask again');
  if (last.verifyToken === null)
    return warn(name, 'it was not tried: credentials.json cannot be read', 'run this as the user of the server');
  const url = new URL('/webhooks/whatsapp', public_url);
  const challenge = randomBytes(8).toString('hex');
  url.search = new URLSearchParams({
    'hub.mode': 'subscribe',
    'hub.verify_token': last.verifyToken,
    'hub.challenge': challenge,
  }).toString();
  const answer = await ask(url);
  const place = `${url.origin}${url.pathname}`;
  if (typeof answer === 'string') {
    return fail(
      name,
      `${place} cannot be reached: ${answer}`,
      'check DNS, certificate, firewall and proxy; a router may also refuse its own public address from inside',
    );
  }
  if (answer.status === 200 && answer.text === challenge)
    return ok(name, `${place} leads here and answers the challenge`);
  if (answer.status >= 300 && answer.status < 400) {
    return fail(
      name,
      `${place} redirects (HTTP ${answer.status}), and Meta does not follow`,
      'name the address it leads to in ALDIS_SERVER_PUBLIC_URL',
    );
  }
  return fail(
    name,
    `${place} answered HTTP ${answer.status}, not the challenge`,
    'let the proxy pass /webhooks/whatsapp on to this server, path and body unchanged',
  );
}

/** The answer, or why there was none. */
async function ask(url: URL): Promise<{ status: number; text: string; body: unknown } | string> {
  try {
    const { status, text } = await askJson(url, TIMEOUT);
    return { status, text, body: parse(text) };
  } catch (error) {
    return reasonOf(error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

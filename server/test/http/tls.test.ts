import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { readTls, renewTls } from '../../src/http/tls.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import { until } from '../until.ts';
import { certificates, type Pair } from './certificates.ts';
import { doorWorld } from './door-world.ts';

const files = certificates();
after(() => files.remove());

/** Whose certificate a server shows, without believing it. */
function shownBy(url: string): Promise<string> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.end();
    });
    socket.on('error', reject);
  });
}

function statusOf(url: string, ca: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });
}

test('with a certificate it speaks HTTPS, and nothing else', async () => {
  const one = files.make('one');
  const world = await doorWorld({}, { tls: readTls(one), header_limit: 4096 });
  try {
    assert.match(world.url, /^https:/);
    assert.equal(await statusOf(`${world.url}/health`, one.cert), 200);
    await assert.rejects(statusOf(`${world.url}/health`, files.make('other').cert), /self-signed|verify/);
    await assert.rejects(fetch(`${world.url.replace('https', 'http')}/health`));
  } finally {
    await world.close();
  }
});

test('a new pair is taken while it runs; a bad one is told and the old one stays', async () => {
  const live = files.make('first');
  const write = ({ cert, key }: Pair, what: 'both' | 'cert' | 'key' = 'both') => {
    if (what !== 'key') writeFileSync(live.cert_file, cert);
    if (what !== 'cert') writeFileSync(live.key_file, key);
  };
  const world = await doorWorld({}, { tls: readTls(live) });
  const told: string[] = [];
  const end = renewTls(
    world.app,
    live,
    {
      renewed: () => told.push('renewed'),
      refused: (error) => told.push(error instanceof StartError ? error.message : String(error)),
    },
    10,
  );
  try {
    assert.equal(await shownBy(world.url), 'first');
    write(files.make('second'));
    await until('the second is shown', async () => (await shownBy(world.url)) === 'second');

    const third = files.make('third');
    told.length = 0;
    write(third, 'cert');
    await until('half a pair is refused', () => told.length === 1);
    assert.match(told[0] ?? '', /is not the key of the certificate in/);
    assert.equal(await shownBy(world.url), 'second');
    write(third, 'key');
    await until('the whole one is shown', async () => (await shownBy(world.url)) === 'third');

    told.length = 0;
    rmSync(live.cert_file);
    await until('its absence is told', () => told.length === 1);
    assert.match(told[0] ?? '', /there is no such file/);
    assert.equal(await shownBy(world.url), 'third');
  } finally {
    end();
    await world.close();
  }
});

describe('what is wrong is told at start', () => {
  const good = files.make('good');
  const other = files.make('another');
  const junk = join(files.folder, 'junk.pem');
  writeFileSync(junk, 'not PEM');
  const cases: [string, { cert_file?: string; key_file?: string }, RegExp][] = [
    ['no certificate there', { cert_file: join(files.folder, 'none') }, /cert_file .*none: there is no such file/],
    ['a folder', { key_file: files.folder }, /key_file .*: it cannot be read \(EISDIR\)/],
    ['no certificate in it', { cert_file: junk }, /holds no certificate/],
    ['no key in it', { key_file: junk }, /holds no private key/],
    [
      'the key of another',
      { key_file: other.key_file },
      /another\.key is not the key of the certificate in .*good\.pem/,
    ],
  ];
  for (const [name, change, message] of cases) {
    test(name, () => {
      assert.throws(
        () => readTls({ cert_file: good.cert_file, key_file: good.key_file, ...change }),
        (error) => error instanceof StartError && message.test(error.message),
      );
    });
  }
});

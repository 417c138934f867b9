import { parseArgs } from 'node:util';
import { pour } from '../src/load.ts';
import { AT_ONCE, openCalls, textOf } from './calls.ts';
import { drive } from './drive.ts';

/** The floor of the peers: the calls alone. Nothing waits, nothing is kept. usage: undici.ts --provider URL */
const { values } = parseArgs({ options: { provider: { type: 'string' } } });
if (!values.provider) throw new Error('usage: undici.ts --provider URL');
const send = openCalls(values.provider);

await drive('undici', {
  async fill() {},
  async run(n) {
    await pour(n, AT_ONCE, async (i) => {
      await send(textOf(i));
    });
  },
});

import { describeConfig, loadConfig } from '../runtime/config.ts';
import { createOutput } from './output.ts';

/** Columns are not made wider than this for one long value. */
const WIDEST = 48;

/**
 * Prints every setting with its effective value and its source; secrets masked.
 * @param flags those of start, to see what they would do
 * @throws {ConfigError} with all that is wrong
 */
export function showConfig(flags: readonly string[], json: boolean): void {
  const loaded = loadConfig({ argv: flags });
  const rows = describeConfig(loaded);
  const width = (column: 'key' | 'value') => Math.min(WIDEST, Math.max(...rows.map((row) => row[column].length)));
  const [keys, values] = [width('key'), width('value')];
  const text = rows.map(({ key, value, source }) => `${key.padEnd(keys)}  ${value.padEnd(values)}  ${source}`);
  const output = createOutput(json);
  for (const warning of loaded.warnings) output.note(`aldis: ${warning}`);
  output.result(rows, text.join('\n'));
}

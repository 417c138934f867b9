/** Where a value comes from. `name` is what to look for: `aldis.yaml:12`, `ALDIS_SERVER_PORT`, `--server-port`. */
export interface Source {
  layer: 'default' | 'file' | 'environment' | 'flag';
  name: string;
}

/** What a layer found for one setting: text, or several for a list. */
export interface Found {
  text: string | readonly string[];
  source: Source;
}

/** One layer, read. */
export interface Layer {
  found: ReadonlyMap<string, Found>;
  problems: readonly string[];
}

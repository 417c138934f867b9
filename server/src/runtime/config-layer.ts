/** Where a value comes from. `name` is what to look for: `profile queue`, `aldis.yaml:12`, `ALDIS_SERVER_PORT`, `--server-port`. */
export interface Source {
  layer: LayerName;
  name: string;
}

/** Each over the one before it. */
export const LAYERS = ['default', 'profile', 'file', 'environment', 'flag'] as const;
export type LayerName = (typeof LAYERS)[number];

/** What a layer found for one setting: text, or several for a list. */
export interface Found {
  text: string | readonly string[];
  source: Source;
}

/** One layer, read. */
export interface Layer {
  found: ReadonlyMap<string, Found>;
  problems: readonly string[];
  /** What was read and does nothing, or not what it says. */
  warnings: readonly string[];
}

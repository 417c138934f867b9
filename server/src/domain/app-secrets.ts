/** The secrets of one Meta app. While one is being changed, webhooks may be signed with the one before. */
export interface AppSecrets {
  appSecret: string;
  /** The word by which Meta, asking whether an address is ours, is known. */
  verifyToken: string;
  /** Believed as well, until then: milliseconds since 1970. Absent or null: there is none. */
  previous?: { appSecret: string; until: number } | null;
}

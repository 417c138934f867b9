// Made of docs/openapi.json by `npm run generate`; do not edit. A test holds the two hashes.
// document 5fd705faa8cb2833bf2ed686b1e9b680a74be65d6fb6747ab49401bdada59b5f
// text     4d2234e46ed1217a552b6b3bd703ed5e7fce8dec077a6fa47c1cb7751fd345e2

/** Requests that take an Idempotency-Key. */
export const TAKES_KEY: ReadonlySet<string> = new Set([
  'POST /api/v1/messages',
  'PATCH /api/v1/messages/{id}',
  'POST /api/v1/messages/{id}/reactions',
  'DELETE /api/v1/messages/{id}/reactions',
  'POST /api/v1/messages/send',
  'POST /api/v1/messages/batch',
]);

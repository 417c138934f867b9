/**
 * What WhatsApp takes as a template, as data: Meta, templates/components and its pages on authentication, media card carousel
 * and limited-time offer templates, read 2025-11-21. Texts are counted in characters.
 */
export const TEMPLATE_LIMITS = {
  name: 512,
  /** Of all components together, as JSON. Our own: a template is some kilobytes. */
  bytes: 65_536,
  header: 60,
  headerVariables: 1,
  body: 1024,
  footer: 60,
  variables: 100,
  buttons: 10,
  buttonText: 25,
  url: 2000,
  phoneNumber: 20,
  copyCode: 15,
  flowId: 64,
  cards: { least: 2, most: 10 },
  cardBody: 160,
  cardButtons: { least: 1, most: 2 },
  offerText: 16,
  offerBody: 600,
  codeExpirationMinutes: { least: 1, most: 90 },
  supportedApps: 5,
  packageName: 224,
  signatureHash: 11,
} as const;

/** How many buttons of a type a template may have. */
export const BUTTON_LIMITS: Readonly<Record<string, number>> = {
  QUICK_REPLY: 10,
  URL: 2,
  PHONE_NUMBER: 1,
  COPY_CODE: 1,
  FLOW: 1,
  OTP: 1,
  CATALOG: 1,
  MPM: 1,
  SPM: 1,
  VOICE_CALL: 1,
};

/** How long WhatsApp may try to deliver, in seconds, by category (Meta: templates/time-to-live). -1 stands for 30 days. */
export const TTL_LIMITS = {
  authentication: { least: 30, most: 900 },
  utility: { least: 30, most: 43_200 },
  marketing: { least: 43_200, most: 2_592_000 },
} as const;

/** Edits of an approved template (Meta: templates/template-management). Milliseconds. */
export const EDIT_LIMITS = [
  { most: 1, span: 86_400_000, word: '24 hours' },
  { most: 10, span: 30 * 86_400_000, word: '30 days' },
] as const;

/** Statuses in which a template can be edited (same page). */
export const EDITABLE_STATUSES: readonly string[] = ['APPROVED', 'REJECTED', 'PAUSED'];

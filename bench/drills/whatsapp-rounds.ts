import type { ActName } from './whatsapp-acts.ts';

/** How a failpoint of WhatsApp's other work is reached: what happens while it is armed. */
export interface WhatsAppRound {
  name: string;
  acts: readonly ActName[];
  /** The kill comes at a passage from the first to this one. */
  latest: number;
}

export const WHATSAPP_ROUNDS: readonly WhatsAppRound[] = [
  { name: 'fetch.before_call', acts: ['fileIn'], latest: 3 },
  { name: 'fetch.after_call', acts: ['fileIn'], latest: 3 },
  { name: 'keep.after_put', acts: ['fileIn'], latest: 3 },
  { name: 'keep.after_commit', acts: ['fileIn', 'fileOut'], latest: 3 },
  { name: 'fetch.after_commit', acts: ['fileIn'], latest: 3 },
  { name: 'upload.before_call', acts: ['fileOut'], latest: 2 },
  { name: 'upload.after_call', acts: ['fileOut'], latest: 2 },
  { name: 'upload.after_commit', acts: ['fileOut'], latest: 2 },
  { name: 'template.before_call', acts: ['template'], latest: 2 },
  { name: 'template.after_call', acts: ['template'], latest: 2 },
  { name: 'template.after_commit', acts: ['template'], latest: 2 },
  { name: 'template_sync.after_call', acts: ['syncTemplates'], latest: 2 },
  { name: 'template_sync.after_commit', acts: ['syncTemplates'], latest: 2 },
  { name: 'hold.before_commit', acts: ['held'], latest: 2 },
  { name: 'hold.after_commit', acts: ['held'], latest: 2 },
  { name: 'release.before_commit', acts: ['pausedTemplate', 'held'], latest: 2 },
  { name: 'release.after_commit', acts: ['pausedTemplate', 'held'], latest: 2 },
  { name: 'fallback.before_commit', acts: ['fallback', 'fallbackAtOnce'], latest: 3 },
  { name: 'fallback.after_commit', acts: ['fallback', 'fallbackAtOnce'], latest: 3 },
  { name: 'consent.before_commit', acts: ['optOut', 'saysStop'], latest: 3 },
  { name: 'consent.after_commit', acts: ['optOut', 'saysStop'], latest: 3 },
  { name: 'block.before_call', acts: ['block'], latest: 2 },
  { name: 'block.after_call', acts: ['block'], latest: 2 },
  { name: 'block.after_commit', acts: ['block'], latest: 2 },
  { name: 'account.before_call', acts: ['account'], latest: 1 },
  { name: 'account.after_call', acts: ['account'], latest: 1 },
  { name: 'account.after_commit', acts: ['account'], latest: 1 },
  { name: 'tend.before_commit', acts: ['move'], latest: 2 },
  { name: 'tend.after_commit', acts: ['move'], latest: 2 },
  { name: 'export.before_put', acts: ['export'], latest: 2 },
  { name: 'export.after_put', acts: ['export'], latest: 2 },
  { name: 'export.after_commit', acts: ['export'], latest: 2 },
  { name: 'redrive.before_commit', acts: ['redrive'], latest: 1 },
  { name: 'redrive.after_commit', acts: ['redrive'], latest: 1 },
  { name: 'reseal.before_commit', acts: ['reseal'], latest: 1 },
  { name: 'reseal.after_commit', acts: ['reseal'], latest: 1 },
];

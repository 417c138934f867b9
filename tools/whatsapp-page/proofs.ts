import { join } from 'node:path';
import { knownCodes } from '../../server/src/domain/provider-errors.ts';
import { allMarks } from './marks.ts';
import { namesText, PROJECT, readNames } from './names.ts';
import { pageFlaws, whatsappPage } from './page.ts';

export const PAGE = join(PROJECT, 'docs/whatsapp.md');

/** The page as the names and the titles of the tests make it, and what falls short of it. */
export function readProofs(): { page: string; flaws: string[]; summary: string } {
  const { names, flaws } = readNames(namesText());
  const marks = allMarks(knownCodes().map(String));
  return {
    page: whatsappPage(names, marks),
    flaws: [...flaws, ...pageFlaws(names, marks)],
    summary: `${names.length} names of WhatsApp, ${marks.length} marks of tests`,
  };
}

import type { Mark } from './marks.ts';
import { idOf, KINDS, type Kind, type Name } from './names.ts';

const TITLES: Readonly<Record<Kind, string>> = {
  sent: 'What can be sent',
  received: 'What customers send',
  status: 'What becomes of a message',
  field: 'Fields of webhooks',
  code: 'Error codes',
};

const ABOUT: Readonly<Record<Kind, string>> = {
  sent: 'Types of messages, and what is told WhatsApp beside them.',
  received: 'Every item is a row of the list of messages, whatever it is.',
  status: 'The words of receipts.',
  field: 'What an account may subscribe to. A field that nothing here acts upon is kept as it came.',
  code: 'Each by the answer to a send and by a receipt. [provider-codes.md](provider-codes.md) says what follows each.',
};

const HEAD = `# WhatsApp, whole

<!-- Made from docs/whatsapp-names.txt and the titles of the tests by \`npm run generate\`. Do not edit. -->

Every message type, webhook field and error code that the documentation of the WhatsApp Cloud API has, and the tests that show
what Aldis does with it. \`npm run check\` fails where one has no test, and where a test names what is not listed.`;

/** docs/whatsapp.md */
export function whatsappPage(names: readonly Name[], marks: readonly Mark[]): string {
  const byId = Map.groupBy(marks, ({ id }) => id);
  const sections = KINDS.map((kind) => {
    const rows = names
      .filter((name) => name.kind === kind)
      .map((name) => {
        const proofs = byId.get(idOf(name)) ?? [];
        const told = new Set(proofs.map(({ file, title }) => `${cell(title)} ([test](../${file}))`));
        return `| ${told.size === 0 ? '**nothing**' : [...told].join('<br>')} |`.replace(/^/, `| ${cellOfName(name)} `);
      });
    return [`## ${TITLES[kind]}`, ABOUT[kind], ['| name | proved by |', '|---|---|', ...rows].join('\n')].join('\n\n');
  });
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

/** What is wrong: a name without a test, a test of a name that is not listed. */
export function pageFlaws(names: readonly Name[], marks: readonly Mark[]): string[] {
  const known = new Set(names.map(idOf));
  const proved = new Set(marks.map(({ id }) => id));
  return [
    ...names.filter((name) => !proved.has(idOf(name))).map((name) => `[${idOf(name)}]: no title of a test names it`),
    ...marks
      .filter(({ id }) => !known.has(id))
      .map(({ id, file }) => `${file}: [${id}] is not in docs/whatsapp-names.txt`),
  ];
}

function cellOfName({ name, about }: Name): string {
  return `\`${name}\`${about === '' ? '' : `: ${cell(about)}`}`;
}

/** A bar would end the cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

import type { Command } from 'commander';
import { optionalString } from './answers.ts';
import { recordCommand } from './record-command.ts';
import { countField, mandatory, secretField, textField } from './record-fields.ts';

const EXAMPLES = `
Examples:
  aldis app create shop --app-secret-file secret.txt --verify-token-file word.txt --meta-app-id 670843887433847
  aldis app list
  aldis app change shop --app-secret-file new.txt --overlap 600     both secrets are believed for 10 minutes
  aldis app delete shop                                             only one that no account and no sender is of

Its webhooks come to /webhooks/whatsapp/ID; those of the app default to /webhooks/whatsapp as well.
Secrets are read from files or standard input, and never shown again.`;

const FIELDS = [
  secretField('app_secret', "a file with the app's secret, which signs webhooks"),
  secretField('verify_token', 'a file with the word that Meta repeats when it asks whether the address is yours'),
  textField('meta_app_id', 'ID', "Meta's id of the app, to ask until when tokens are good", { orNone: true }),
];
const OVERLAP = {
  ...countField(
    'overlap',
    0,
    604_800,
    'with a new secret: seconds in which the one before is believed (default: 3600)',
  ),
  orNone: false,
};

/** `aldis app`: the Meta apps whose webhooks are taken. */
export function appCommand(): Command {
  return recordCommand({
    noun: 'app',
    path: '/api/v1/apps',
    plural: 'apps',
    ofTenant: false,
    summary: 'list, make and change Meta apps, whose secrets sign webhooks',
    examples: EXAMPLES,
    id: 'what it is called here, such as shop',
    create: mandatory(FIELDS, 'app_secret', 'verify_token'),
    change: [...FIELDS, OVERLAP],
    end: { verb: 'delete', summary: 'delete an app that no account and no sender is of' },
    line(app) {
      const until = optionalString(app, 'previous_until');
      return [
        optionalString(app, 'id'),
        optionalString(app, 'meta_app_id') ?? '-',
        optionalString(app, 'webhook_path'),
        ...(until === null ? [] : [`the secret before until ${until}`]),
      ].join('  ');
    },
  });
}

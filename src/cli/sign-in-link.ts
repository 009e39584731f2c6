import { DataSource } from 'typeorm';
import { SCOPES } from '../platform/sign-in/actor.js';
import { LINK_MINUTES, SignInLinks } from '../platform/sign-in/sign-in-links.service.js';
import type { AddCommand } from './command.js';

export const addSignInLink: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('sign-in-link')
    .description(`print a link that signs an admin in, once, within ${LINK_MINUTES} minutes`)
    .option('--name <name>', 'whom it signs in, as the audit log will say', actor.name)
    .option('--json', 'print {"url": …, "minutes": …} for a program')
    .action(async (options: { name: string; json?: boolean }) => {
      const url = await withServices((services) =>
        services.get(DataSource).transaction((tx) => services.get(SignInLinks).create(tx, actor, options.name, SCOPES)),
      );
      if (options.json) out(JSON.stringify({ url, minutes: LINK_MINUTES }));
      else {
        out(url);
        note(`Opens once, within ${LINK_MINUTES} minutes, and signs in ${options.name} for 12 hours.`);
      }
    });
};

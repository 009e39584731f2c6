import type { Command } from 'commander';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { PeopleService } from '../people/people.service.js';
import { Config } from '../platform/config/config.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { userPrincipal } from '../platform/sign-in/principals.js';
import type { SignInIdentity } from '../platform/sign-in/sign-in-identity.entity.js';
import { SignInIdentities } from '../platform/sign-in/sign-in-identities.service.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

export const addSignIn: AddCommand = (program, context) => {
  const signIn = program
    .command('sign-in')
    .description('who may sign in through the OpenID provider: admit, list, withdraw');
  addAdmit(signIn, context);
  addList(signIn, context);
  addWithdraw(signIn, context);
};

interface AdmitOptions {
  issuer?: string;
  subject: string;
  name: string;
  person?: string;
}

function addAdmit(signIn: Command, { actor, note, out, withServices }: CliContext): void {
  signIn
    .command('admit')
    .description('let somebody in, who may do nothing before a role is given to them; or change what was said of them')
    .option('--issuer <address>', 'the provider, as the page that refused them says; else OIDC_ISSUER')
    .requiredOption('--subject <subject>', "the provider's own id of them, as that page says; never an e-mail address")
    .requiredOption('--name <name>', 'what the audit log calls them')
    .option('--person <id>', 'who they are among the people here: when their access is cut, it is cut here as well')
    .action(async (options: AdmitOptions) => {
      const { subject, person: personId = null, name: displayName } = options;
      if (personId !== null && !z.uuid().safeParse(personId).success) {
        throw new CommandFailure('--person has to be the id of a person, as `GET /v1/people` shows it.', EXIT.usage);
      }
      const id = await withServices((services) => {
        const issuer = options.issuer ?? services.get(Config).oidc?.issuer;
        if (issuer === undefined) throw new CommandFailure('Say --issuer: OIDC_ISSUER is not set here.', EXIT.usage);
        return services.get(DataSource).transaction(async (tx) => {
          // Locked first, as by whoever cuts their access.
          if (personId !== null) await services.get(PeopleService).lock(tx, personId);
          return services.get(SignInIdentities).admit(tx, actor, { issuer, subject, displayName, personId });
        });
      });
      out(id);
      note(`${displayName} may sign in. What they may do: quartermaster roles assign ${userPrincipal(id)} ROLE`);
      if (personId === null) note('Without --person they stay admitted when they leave: withdraw them then.');
    });
}

function addList(signIn: Command, { out, withServices }: CliContext): void {
  signIn
    .command('list')
    .description('show who may sign in')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const all = await withServices((services) =>
        services.get(SignInIdentities).list(services.get(DataSource).manager),
      );
      if (options.json) out(JSON.stringify(all));
      else if (all.length === 0) out('Nobody is admitted. Let somebody in with `quartermaster sign-in admit`.');
      else for (const one of all) out(lineFor(one));
    });
}

function addWithdraw(signIn: Command, { actor, out, withServices }: CliContext): void {
  signIn
    .command('withdraw <id>')
    .description('let somebody in no more, and end their sessions')
    .action(async (id: string) => {
      if (!z.uuid().safeParse(id).success) {
        throw new CommandFailure('That is no id. See `quartermaster sign-in list`.', EXIT.usage);
      }
      await withServices((services) =>
        services.get(DataSource).transaction((tx) => services.get(SignInIdentities).withdraw(tx, actor, id)),
      );
      out(`withdrawn ${id}`);
    });
}

function lineFor({ id, displayName, issuer, subject, personId, withdrawnAt }: SignInIdentity): string {
  const state = withdrawnAt ? `withdrawn ${withdrawnAt.toISOString().slice(0, 10)}` : 'admitted';
  return [id, displayName, state, `person ${personId ?? 'none'}`, issuer, subject].join('  ');
}

import { DataSource } from 'typeorm';
import { CredentialResetsService } from '../credential-resets/credential-resets.service.js';
import { PeopleService } from '../people/people.service.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addResetCredentials: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('reset-credentials <email>')
    .description(
      "reset all credentials of the person with this corporate address, and end what was issued before; prints the case's id",
    )
    .action(async (email: string) => {
      const { caseId, held } = await withServices(async (services) => {
        const person = await services.get(PeopleService).findByEmail(services.get(DataSource).manager, email);
        if (!person) throw new CommandFailure(`Nobody has the corporate address ${email}.`);
        return services.get(CredentialResetsService).start(person.id, actor);
      });
      out(caseId);
      if (held) note('A brake holds it; nothing is reset before two people decide: quartermaster brakes list');
      note(`Watch it with: quartermaster case ${caseId} --watch`);
    });
};

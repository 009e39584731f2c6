import type { Command } from 'commander';
import { DataSource, type EntityManager } from 'typeorm';
import type { INestApplicationContext } from '@nestjs/common';
import { PeopleService } from '../people/people.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { ServicePrincipals } from '../service-principals/service-principals.service.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

export const addService: AddCommand = (program, context) => {
  const service = program
    .command('service')
    .description('services, whose API tokens go on when the person who answers for them leaves: create, list, hand-on');
  addCreate(service, context);
  addList(service, context);
  addHandOn(service, context);
};

function addCreate(service: Command, { actor, out, withServices }: CliContext): void {
  service
    .command('create <name>')
    .description('name a service and who answers for it; `token create --owner NAME` makes its tokens')
    .requiredOption('--owner <address>', 'the corporate address of the person who answers for it')
    .action(async (name: string, { owner }: { owner: string }) => {
      const { id } = await withServices((services) =>
        inTransaction(services.get(DataSource), async (tx) =>
          services.get(ServicePrincipals).create(tx, actor, name, await personOf(services, tx, owner)),
        ),
      );
      out(id);
    });
}

function addList(service: Command, { out, withServices }: CliContext): void {
  service
    .command('list')
    .description('show all services and who answers for them')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const lines = await withServices(async (services) => {
        const all = await services.get(ServicePrincipals).list();
        if (options.json) return [JSON.stringify(all)];
        const { manager } = services.get(DataSource);
        const people = services.get(PeopleService);
        return Promise.all(
          all.map(async ({ id, name, ownerPersonId }) => {
            const owner = ownerPersonId && (await people.get(manager, ownerPersonId)).corporateEmail;
            return `${id}  ${name}  ${owner ?? '✗ nobody answers for it'}`;
          }),
        );
      });
      for (const line of lines) out(line);
      if (lines.length === 0) out('There are no services.');
    });
}

function addHandOn(service: Command, { actor, out, withServices }: CliContext): void {
  service
    .command('hand-on <name> <address>')
    .description('somebody else answers for it from now on; its tokens go on')
    .action(async (name: string, address: string) => {
      await withServices((services) =>
        inTransaction(services.get(DataSource), async (tx) => {
          const principals = services.get(ServicePrincipals);
          const found = (await principals.list()).find((one) => one.name === name);
          if (!found) throw new CommandFailure(`There is no service “${name}”. See \`quartermaster service list\`.`);
          await principals.handOn(tx, actor, found.id, await personOf(services, tx, address));
        }),
      );
      out(`${address} answers for ${name}`);
    });
}

async function personOf(services: INestApplicationContext, tx: EntityManager, address: string): Promise<string> {
  const person = await services.get(PeopleService).findByEmail(tx, address);
  if (!person) throw new CommandFailure(`Nobody here has the corporate address ${address}.`);
  return person.id;
}

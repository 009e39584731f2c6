import type { Command } from 'commander';
import { HrSourcesService } from '../hr-feeds/hr-sources.service.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

export const addHrSource: AddCommand = (program, context) => {
  const source = program.command('hr-source').description('HR systems that may post events: add, list, drop-old');
  addAdd(source, context);
  addList(source, context);
  addDropOld(source, context);
};

function addAdd(source: Command, { actor, note, out, withServices }: CliContext): void {
  source
    .command('add <name>')
    .description(
      'make a signing secret for a source and print it, once; again for a second one, before the first is taken out of use',
    )
    .action(async (name: string) => {
      const secret = await withServices((services) => services.get(HrSourcesService).addSecret(name, actor));
      out(secret);
      note(`Post to /hooks/hr/${name}, signed by Standard Webhooks. The secret is shown this once.`);
    });
}

function addList(source: Command, { out, withServices }: CliContext): void {
  source
    .command('list')
    .description('show all sources, since when each of their secrets counts, and when their last event came')
    .action(async () => {
      const sources = await withServices((services) => services.get(HrSourcesService).list());
      if (sources.length === 0) out('There are no sources. Make one with `quartermaster hr-source add NAME`.');
      for (const { name, secrets, lastEventAt } of sources) {
        const since = secrets.map((secret) => dayOf(secret.since)).join(' and ');
        const last = lastEventAt ? `last event ${lastEventAt.toISOString()}` : 'no event yet';
        out(`${name}  ${secrets.length} active secret(s)  since ${since}  ${last}`);
      }
    });
}

function addDropOld(source: Command, { actor, out, withServices }: CliContext): void {
  source
    .command('drop-old <name>')
    .description('take the older of two secrets out of use, once the source signs with the newer one')
    .action(async (name: string) => {
      const since = await withServices(async (services) => {
        const sources = services.get(HrSourcesService);
        const found = (await sources.list()).find((one) => one.name === name);
        const older = found?.secrets[0];
        if (!older) throw new CommandFailure(`There is no source “${name}”. See \`quartermaster hr-source list\`.`);
        await sources.dropSecret(name, older.id, actor);
        return older.since;
      });
      out(`dropped the secret of ${name} that counted since ${dayOf(since)}`);
    });
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

import { HrSourcesService } from '../hr-feeds/hr-sources.service.js';
import type { AddCommand } from './command.js';

export const addHrSource: AddCommand = (program, { actor, note, out, withServices }) => {
  const source = program.command('hr-source').description('HR systems that may post events: add, list');
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
  source
    .command('list')
    .description('show all sources and how many secrets each has')
    .action(async () => {
      const sources = await withServices((services) => services.get(HrSourcesService).list());
      if (sources.length === 0) out('There are no sources. Make one with `quartermaster hr-source add NAME`.');
      for (const { name, secretIds, createdAt } of sources) {
        out(`${name}  ${secretIds.length} active secret(s)  since ${createdAt.toISOString().slice(0, 10)}`);
      }
    });
};

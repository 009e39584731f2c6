import { EscalationList } from '../alerting/alerting-views.js';
import { ChannelsService } from '../alerting/channels.service.js';
import { EscalationService } from '../alerting/escalation.service.js';
import { z } from 'zod';
import { EXIT } from '../platform/lifecycle/failure.js';
import { findByName } from './alert-channel.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addEscalation: AddCommand = (program, { actor, out, withServices }) => {
  const escalation = program
    .command('escalation')
    .description('who is told of an alert, in which order and after how long: list, add, remove');
  escalation
    .command('list')
    .description('show the list, the first to be told first')
    .action(async () => {
      const lines = await withServices(async (services) => {
        const names = new Map((await services.get(ChannelsService).list()).map(({ id, name }) => [id, name]));
        return (await services.get(EscalationService).list()).map(({ level, name, channelIds, waitSeconds }) =>
          [`${level}. ${name}`, channelIds.map((id) => names.get(id)).join(', '), `${waitSeconds / 60} min`].join('  '),
        );
      });
      if (lines.length === 0) out('There is no list: all channels are tried in turn, and nobody is told later.');
      for (const line of lines) out(line);
    });
  escalation
    .command('add <person>')
    .description('put somebody at the end of the list')
    .requiredOption('--channels <names>', 'how they are reached, comma-separated; the first that works is used')
    .option('--wait <minutes>', 'how long an alert may stay open before the next is told', '15')
    .action(async (person: string, options: { channels: string; wait: string }) => {
      await withServices(async (services) => {
        const service = services.get(EscalationService);
        const channels = await Promise.all(
          options.channels.split(',').map((name) => findByName(services, name.trim())),
        );
        const before = (await service.list()).map(({ name, channelIds, waitSeconds }) => ({
          name,
          channelIds,
          waitSeconds,
        }));
        const added = {
          name: person,
          channelIds: channels.map(({ id }) => id),
          waitSeconds: Number(options.wait) * 60,
        };
        const list = EscalationList.safeParse({ contacts: [...before, added] });
        if (!list.success) throw new CommandFailure(z.prettifyError(list.error), EXIT.usage);
        await service.replace(actor, list.data.contacts);
      });
      out(`added ${person}`);
    });
  escalation
    .command('remove <person>')
    .description('take somebody off the list')
    .action(async (person: string) => {
      await withServices(async (services) => {
        const service = services.get(EscalationService);
        const before = await service.list();
        const left = before.filter(({ name }) => name !== person);
        if (left.length === before.length) throw new CommandFailure(`“${person}” isn't on the list.`);
        await service.replace(actor, left);
      });
      out(`removed ${person}`);
    });
};

import { LostDevicesService } from '../lost-devices/lost-devices.service.js';
import type { AddCommand } from './command.js';

export const addLostLaptop: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('lost-laptop <asset-tag-or-serial>')
    .description("report a laptop lost: all of its holder's access is cut at once; prints the case's id")
    .option('--note <text>', 'what happened, for the case')
    .addHelpText('after', '\nReported twice, it answers the first case and changes nothing.')
    .action(async (name: string, options: { note?: string }) => {
      const report = await withServices((services) =>
        services.get(LostDevicesService).reportByName(name, options.note, actor),
      );
      out(report.caseId);
      if (report.again) note('This loss was reported before; this is its case.');
      note(`Watch it with: quartermaster case ${report.caseId} --watch`);
    });
};

import { LostDevicesService, type LossPreview } from '../lost-devices/lost-devices.service.js';
import type { AddCommand } from './command.js';

export const addLostLaptop: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('lost-laptop <asset-tag-or-serial>')
    .description("report a laptop lost: all of its holder's access is cut at once; prints the case's id")
    .option('--note <text>', 'what happened, for the case')
    .option('--device-only', 'cut what this machine holds only, and leave the accounts open: the person works on')
    .option('--preview', 'show what would be cut, and what is known of the disk; nothing is done')
    .addHelpText('after', '\nReported twice, it answers the first case and changes nothing.')
    .action(async (name: string, options: { note?: string; deviceOnly?: boolean; preview?: boolean }) => {
      if (options.preview) {
        const preview = await withServices((services) => services.get(LostDevicesService).previewByName(name, actor));
        for (const line of linesOf(preview)) out(line);
        return;
      }
      const scope = options.deviceOnly ? 'device' : 'person';
      const report = await withServices((services) =>
        services.get(LostDevicesService).reportByName(name, { scope, note: options.note }, actor),
      );
      out(report.caseId);
      if (report.again) note('This loss was reported before; this is its case.');
      note(`Watch it with: quartermaster case ${report.caseId} --watch`);
      note(`What is to be done about the machine: quartermaster loss ${report.caseId}`);
    });
};

function linesOf({ device, diskEncryption, scope, person, deviceOnly }: LossPreview): string[] {
  const disk = diskEncryption
    ? `${diskEncryption.value.replace('_', ' ')}, seen ${diskEncryption.observedAt.toISOString()} by ${diskEncryption.source}`
    : 'unknown: nobody ever looked';
  return [
    `${device.assetTag} · disk ${disk}`,
    ...(scope ? [`proposed scope: ${scope.propose}. ${scope.because}`] : []),
    'scope person:',
    ...person.map(lineOf),
    'scope device (--device-only):',
    ...deviceOnly.map(lineOf),
  ];
}

function lineOf({ tool, username, act }: LossPreview['person'][number]): string {
  return `  ${tool}: ${act.replaceAll('_', ' ')}${username === null ? '' : ` of ${username}`}`;
}

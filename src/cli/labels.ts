import { DataSource } from 'typeorm';
import { DeviceLabels } from '../devices/labels/device-labels.service.js';
import { labelSheet } from '../devices/labels/label.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addLabels: AddCommand = (program, { actor, out, withServices }) => {
  program
    .command('labels [asset-tags...]')
    .description('print labels for devices, 62 × 29 mm each, as a page for a browser to print')
    .option('--site <name>', 'for all devices at this site, instead of named ones')
    .addHelpText('after', '\nFor example: quartermaster labels --site Berlin > labels.html')
    .action(async (assetTags: string[], { site }: { site?: string }) => {
      if ((site === undefined) === (assetTags.length === 0)) {
        throw new CommandFailure('Name asset tags, or a site with --site.', EXIT.usage);
      }
      const labels = await withServices((services) =>
        services
          .get(DeviceLabels)
          .ofMany(services.get(DataSource).manager, actor, site === undefined ? { assetTags } : { site }),
      );
      out(labelSheet(labels));
    });
};

import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Device } from '../devices/device.entity.js';
import { LostDevicesService } from '../lost-devices/lost-devices.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addRestoreAccess: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('restore-access <lost-device-case>')
    .description("give access back after a loss, with new credentials; prints the new case's id")
    .option('--replacement <asset-tag>', 'a device in stock, given out in the same decision')
    .action(async (lossCaseId: string, options: { replacement?: string }) => {
      if (!z.uuid().safeParse(lossCaseId).success) throw new CommandFailure('That is no id of a case.', EXIT.usage);
      const { caseId, stillHeld, held } = await withServices(async (services) => {
        const { replacement } = options;
        const device = replacement
          ? await services.get(DataSource).manager.findOneBy(Device, { assetTag: replacement })
          : null;
        if (replacement && !device) throw new CommandFailure(`No device has the asset tag ${replacement}.`);
        return services.get(LostDevicesService).restore(lossCaseId, device?.id, actor);
      });
      out(caseId);
      if (held) note('A brake holds it until two people decide: quartermaster brakes list');
      else if (stillHeld.length > 0) note(`Nothing is given back yet: still held because of ${stillHeld.join(', ')}.`);
      note(`Watch it with: quartermaster case ${caseId} --watch`);
    });
};

import { z } from 'zod';
import { UnlockMachine } from '../lost-devices/unlock-machine.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

/** As many characters as over REST. */
const Reason = z.string().trim().min(3).max(2_000);

export const addUnlockLaptop: AddCommand = (program, { actor, note, out, withServices }) => {
  program
    .command('unlock-laptop <lost-device-case> <reason>')
    .description('order that a laptop that was found is unlocked: say how you know that it is back, and in whose hands')
    .addHelpText('after', '\nNote it as found first, at the device. That gives no access back: restore-access does.')
    .action(async (caseId: string, words: string) => {
      if (!z.uuid().safeParse(caseId).success) throw new CommandFailure('That is no id of a case.', EXIT.usage);
      const reason = Reason.safeParse(words);
      if (!reason.success) throw new CommandFailure('Say in a few words how you know that it is back.', EXIT.usage);
      await withServices((services) => services.get(UnlockMachine).order(actor, caseId, reason.data));
      out('ordered');
      note(`Whether it is done, and who gives the order: quartermaster loss ${caseId}`);
    });
};

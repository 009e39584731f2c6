import type { Command } from 'commander';
import { z } from 'zod';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { NewWitness } from '../witnesses/new-witness.js';
import { WitnessesService } from '../witnesses/witnesses.service.js';
import { witnessView } from '../witnesses/witnesses-views.js';
import { addAuditWitnessServe } from './audit-witness-serve.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { readKey } from './read-key.js';

/** `audit witness`: who cosigns this log; and to be a witness of others’. */
export const addAuditWitness: AddCommand = (audit, context) => {
  const witness = audit
    .command('witness')
    .description('others who cosign the log’s checkpoints: add, list, remove, serve');
  addAdd(witness, context);
  addList(witness, context);
  addRemove(witness, context);
  addAuditWitnessServe(witness, context);
};

function addAdd(witness: Command, { actor, out, note, withServices }: CliContext): void {
  witness
    .command('add <url>')
    .description('have the log cosigned by a witness (C2SP tlog-witness) at its submission prefix')
    .requiredOption('--key <key>', 'its public key as its operator handed it out, or a file with it')
    .option('--allow-private-addresses', 'for an address inside your network, or plain http', false)
    .action(async (url: string, options: { key: string; allowPrivateAddresses: boolean }) => {
      const key = (await readKey(options.key, (text) => CosignatureVerifier.parse(text))).toString();
      const parsed = NewWitness.safeParse({ url, key, allowPrivateAddresses: options.allowPrivateAddresses });
      if (!parsed.success) throw new CommandFailure(z.prettifyError(parsed.error), EXIT.usage);
      const { id } = await withServices((services) => services.get(WitnessesService).add(actor, parsed.data));
      out(id);
      note('Its operator needs the log’s key: quartermaster audit key. Workers ask it from now on: audit status');
    });
}

function addList(witness: Command, { out, withServices }: CliContext): void {
  witness
    .command('list')
    .description('show all witnesses, what they cosigned last, and what stands in the way')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const witnesses = (await withServices((services) => services.get(WitnessesService).list())).map(witnessView);
      if (options.json) out(JSON.stringify(witnesses));
      else if (witnesses.length === 0) out('There are no witnesses.');
      else {
        for (const { key, url, size, cosignedAt, problem } of witnesses) {
          out(
            `${key}  ${url}  ${size} entries, last ${cosignedAt ?? 'never'}${problem === null ? '' : `  ✗ ${problem}`}`,
          );
        }
      }
    });
}

function addRemove(witness: Command, { actor, out, withServices }: CliContext): void {
  witness
    .command('remove <name>')
    .description('ask it no more; what it signed stays')
    .action(async (name: string) => {
      await withServices(async (services) => {
        const witnesses = services.get(WitnessesService);
        const found = (await witnesses.list()).find((one) => one.name === name);
        if (!found)
          throw new CommandFailure(`There is no witness “${name}”. See \`quartermaster audit witness list\`.`);
        await witnesses.remove(actor, found.id);
      });
      out(`removed ${name}`);
    });
}

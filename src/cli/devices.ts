import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { DataSource } from 'typeorm';
import { DeviceTokens } from '../device-reporters/device-tokens.service.js';
import { Device } from '../devices/device.entity.js';
import { countsOf, DeviceImports } from '../devices/imports/device-imports.service.js';
import type { PlannedLine } from '../devices/imports/plan-import.js';
import { inTransaction } from '../platform/database/transaction.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

const GLYPHS = { create: '+', change: '~', unchanged: '=', error: '▲' } as const;

export const addDevices: AddCommand = (program, context) => {
  const devices = program.command('devices').description('the inventory of devices: import, token');
  addImport(devices, context);
  addToken(devices, context);
};

function addToken(devices: Command, { actor, note, out, withServices }: CliContext): void {
  devices
    .command('token <asset-tag>')
    .description('make a token for a device’s own reporter and print it, once; the one before opens nothing any more')
    .action(async (assetTag: string) => {
      const token = await withServices((services) =>
        inTransaction(services.get(DataSource), async (tx) => {
          const device = await tx.findOneBy(Device, { assetTag });
          if (!device) throw new CommandFailure(`No device has the asset tag ${assetTag}.`);
          return services.get(DeviceTokens).create(tx, actor, device.id);
        }),
      );
      out(token);
      note('Write it to the file that QM_TOKEN_FILE names on that device, readable by root only. See ops/reporters.');
    });
}

function addImport(devices: Command, { actor, note, out, withServices }: CliContext): void {
  devices
    .command('import <file>')
    .description('show what a CSV file of devices would do, line by line; with --apply do all of it, or nothing')
    .option('--apply', 'do it, when no line has an error')
    .addHelpText('after', '\nColumns: asset_tag, serial, model; and site, state, purchased_on, warranty_until.')
    .action(async (file: string, { apply }: { apply?: true }) => {
      const content = await readFile(file).catch(() => {
        throw new CommandFailure(`The file ${file} can't be read.`, EXIT.usage);
      });
      const { lines, id } = await withServices(async (services) => {
        const imports = services.get(DeviceImports);
        const db = services.get(DataSource);
        const shown = await inTransaction(db, (tx) => imports.preview(tx, actor, content));
        const isGood = countsOf(shown.lines).error === 0;
        return apply && isGood ? inTransaction(db, (tx) => imports.apply(tx, actor, shown.id)) : shown;
      });
      for (const line of lines.flatMap(wordsOf)) out(line);
      const { create, change, unchanged, error } = countsOf(lines);
      note(`${create} new, ${change} changed, ${unchanged} unchanged, ${error} with errors`);
      if (error > 0) throw new CommandFailure('Nothing was imported. Correct the lines that are named.');
      note(apply ? `Imported (${id}).` : 'Nothing was imported yet: say --apply.');
    });
}

function wordsOf({ line, outcome, assetTag, serial, change, problems }: PlannedLine): string[] {
  const fields = outcome === 'change' ? ` ${Object.keys(change).join(', ')}` : '';
  return [
    `${GLYPHS[outcome]} line ${line}  ${assetTag}  ${serial}  ${outcome}${fields}`,
    ...problems.map(({ column, detail }) => `    ${column === null ? '' : `${column}: `}${detail}`),
  ];
}

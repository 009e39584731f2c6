import type { INestApplicationContext } from '@nestjs/common';
import { Option } from 'commander';
import { DataSource } from 'typeorm';
import { Lockdowns } from '../accounts/lockdowns.service.js';
import { CheckTool, type ToolCheck } from '../tools/check-tool.service.js';
import { ToolsService } from '../tools/tools.service.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addTools: AddCommand = (program, { actor, out, withServices }) => {
  const tools = program.command('tools').description('configured tools: list, check, lockdown');
  const findTool = async (services: INestApplicationContext, key: string): Promise<string> => {
    const tool = await services.get(ToolsService).findByKey(services.get(DataSource).manager, key);
    if (!tool) throw new CommandFailure(`There is no tool with the key ${key}. See \`quartermaster tools list\`.`);
    return tool.id;
  };
  tools
    .command('list')
    .description('show all tools that are in use')
    .action(async () => {
      const found = await withServices((services) =>
        services.get(ToolsService).inUse(services.get(DataSource).manager),
      );
      if (found.length === 0) out('There are no tools yet. Add one with POST /v1/tools.');
      for (const { key, name, connector, environment, state, pauseReason } of found) {
        out(
          [key.padEnd(24), connector.padEnd(18), environment.padEnd(11), state, name, pauseReason]
            .filter(Boolean)
            .join('  '),
        );
      }
    });
  tools
    .command('check <key>')
    .description('ask a tool, live, who it thinks we are, what we may do, and which permissions are missing')
    .option('--json', 'print the answer for a program')
    .action(async (key: string, options: { json?: boolean }) => {
      const check = await withServices(async (services) => {
        return services.get(CheckTool).check(actor, await findTool(services, key));
      });
      if (options.json) out(JSON.stringify(check, null, 2));
      else for (const line of linesOf(check)) out(line);
      if (check.problem) throw new CommandFailure('The tool could not be checked.');
      if (check.report && check.report.missing.length > 0) throw new CommandFailure('Permissions are missing.');
    });
  tools
    .command('lockdown <key>')
    .description('put everybody out of a gateway but named people, or take that back; shows what it is now')
    .addOption(new Option('--only <names>', 'user names that may be in, with commas between them').conflicts('nobody'))
    .option('--nobody', 'put everybody out')
    .addOption(new Option('--lift', 'let everybody in again who may be').conflicts(['only', 'nobody']))
    .option('--reason <text>', 'why, for the audit log', 'from the command line')
    .action(async (key: string, options: { only?: string; nobody?: true; lift?: true; reason: string }) => {
      const { only, nobody, lift, reason } = options;
      const now = await withServices(async (services) => {
        const id = await findTool(services, key);
        const lockdowns = services.get(Lockdowns);
        const allowed = only?.split(',').filter(Boolean) ?? [];
        if (only !== undefined && allowed.length === 0) throw new CommandFailure('Name somebody, or say --nobody.');
        if (only !== undefined || nobody) return lockdowns.lockDown(actor, id, allowed, reason);
        if (lift) await lockdowns.lift(actor, id, reason);
        return lockdowns.look(actor, id);
      });
      out(now ? `locked down; allowed: ${now.allowed.join(', ') || 'nobody'}` : 'open: no lockdown');
    });
};

function linesOf({ report, problem, capabilities }: ToolCheck): string[] {
  if (problem) return [`✕ ${problem.message}`, ...(problem.remedy ? [`  ${problem.remedy}`] : [])];
  const missing = report?.missing ?? [];
  return [
    `the tool knows us as ${report?.principal ?? 'nobody'}${report?.version ? `; its version is ${report.version}` : ''}`,
    ...capabilities.map(({ capability, permission }) => {
      const lack = missing.find((one) => one.capability === capability);
      if (!lack) return `● ${capability.padEnd(18)} ${permission}`;
      return `▲ ${capability.padEnd(18)} missing: ${lack.permission}. ${lack.remedy}`;
    }),
  ];
}

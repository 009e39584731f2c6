import type { Command } from 'commander';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { EXIT } from '../platform/lifecycle/failure.js';
import { RoleAssignments } from '../platform/roles/role-assignments.service.js';
import { assignmentView, RoleWish } from '../platform/roles/roles-views.js';
import type { RoleAssignment } from '../platform/roles/role-assignment.entity.js';
import { ROLE_DEFINITIONS, ROLES } from '../platform/roles/roles.js';
import { describeRoles } from '../platform/roles/describe-roles.js';
import { RouteCheck } from '../platform/sign-in/route-check.js';
import { RoleEdits, type RoleEdit } from '../role-edits/role-edits.service.js';
import { ToolsService } from '../tools/tools.service.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { printWriteOrCheck, type DocumentOptions } from './committed-document.js';
import { printRequest, reasonIn } from './print-request.js';
import { unstartedApp } from './unstarted-app.js';

/** More than any company has; whoever has more asks for one principal's. */
const MOST = 10_000;

export const addRoles: AddCommand = (program, context) => {
  const roles = program
    .command('roles')
    .description('who may do what: list, assign and end roles, and the matrix of roles and routes');
  addList(roles, context);
  addAssign(roles, context);
  addEnd(roles, context);
  addMatrix(roles, context);
};

function addList(roles: Command, { out, withServices }: CliContext): void {
  roles
    .command('list')
    .description('show who holds which role')
    .option('--principal <id>', "one principal's only: user:<id>, or a token's id")
    .option('--ended', 'those that ended as well')
    .option('--json', 'print a list for a program')
    .action(async ({ json, ...filter }: { principal?: string; ended?: boolean; json?: boolean }) => {
      const all = await withServices((services) =>
        services.get(RoleAssignments).list(filter, { after: null, limit: MOST }),
      );
      if (json) out(JSON.stringify(all.map(assignmentView)));
      else if (all.length === 0) out('Nobody holds a role. Give one with `quartermaster roles assign`.');
      else for (const one of all) out(lineFor(one));
    });
}

function addAssign(roles: Command, context: CliContext): void {
  const { actor, withServices } = context;
  roles
    .command('assign <principal> <role>')
    .description(
      'give a role to user:<id> (somebody who signs in) or to a token; where there are two owners another person approves',
    )
    .requiredOption('--reason <text>', 'why, for the audit log and for who approves')
    .option('--department <name>', 'only people employed in it, and what is theirs')
    .option('--location <name>', 'only people employed there, and what is theirs')
    .option('--tool <key>', 'only accounts at this tool; of several limits all count together')
    .addHelpText('after', `\nRoles:\n${ROLES.map((role) => `  ${role}: ${ROLE_DEFINITIONS[role].purpose}`).join('\n')}`)
    .action(async (principal: string, role: string, { tool, reason = '', ...places }: Record<string, string>) => {
      const edit = await withServices(async (services) => {
        const { manager } = services.get(DataSource);
        const found = tool === undefined ? null : await services.get(ToolsService).findByKey(manager, tool);
        if (tool !== undefined && !found) throw new CommandFailure(`There is no tool “${tool}”.`, EXIT.usage);
        const wish = RoleWish.safeParse({ principal, role, ...places, toolId: found?.id ?? null });
        if (!wish.success) throw new CommandFailure(z.prettifyError(wish.error), EXIT.usage);
        return services.get(RoleEdits).assign(wish.data, reasonIn(reason), actor);
      });
      print(edit, context);
    });
}

function addEnd(roles: Command, context: CliContext): void {
  const { actor, withServices } = context;
  roles
    .command('end <id>')
    .description('end an assignment, by the id that `roles list` shows; the last owner stays')
    .requiredOption('--reason <text>', 'why, for the audit log and for who approves')
    .action(async (id: string, { reason }: { reason: string }) => {
      if (!z.uuid().safeParse(id).success) {
        throw new CommandFailure('That is no id of an assignment. See `quartermaster roles list`.', EXIT.usage);
      }
      print(await withServices((services) => services.get(RoleEdits).end(id, reasonIn(reason), actor)), context);
    });
}

function addMatrix(roles: Command, { out }: CliContext): void {
  roles
    .command('matrix')
    .description('print which role may call which route; needs no database')
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--file <file>', 'the committed document', 'docs/roles.md')
    .action(async (options: DocumentOptions) => {
      const routes = (await unstartedApp()).get(RouteCheck).routes();
      await printWriteOrCheck('roles matrix', describeRoles(routes), options, out);
    });
}

function print({ assignment, approval }: RoleEdit, context: CliContext): void {
  if (assignment) context.out(lineFor(assignment));
  else printRequest(approval, context);
}

function lineFor({ id, principal, role, department, location, toolId, assignedBy, endedAt }: RoleAssignment): string {
  const within = [
    department === null ? '' : `department ${department}`,
    location === null ? '' : `location ${location}`,
    toolId === null ? '' : `tool ${toolId}`,
  ].filter((part) => part !== '');
  return [
    id,
    principal,
    role,
    within.length === 0 ? 'everywhere' : within.join(' and '),
    `by ${assignedBy}`,
    ...(endedAt ? [`ended ${endedAt.toISOString().slice(0, 10)}`] : []),
  ].join('  ');
}
